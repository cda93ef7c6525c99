{{ staged(source('tap_kissmetrics', 'reports')) }}
