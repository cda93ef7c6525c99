{{ staged(source('tap_kissmetrics', 'properties')) }}
