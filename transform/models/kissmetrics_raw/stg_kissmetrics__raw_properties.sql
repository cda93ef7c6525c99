{{ staged(source('tap_kissmetrics', 'raw_properties')) }}
