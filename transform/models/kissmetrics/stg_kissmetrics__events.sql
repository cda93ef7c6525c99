{{ staged(source('tap_kissmetrics', 'events')) }}
