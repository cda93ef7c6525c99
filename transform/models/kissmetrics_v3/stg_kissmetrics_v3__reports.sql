{{ staged(source('tap_kissmetrics_v3', 'reports')) }}
