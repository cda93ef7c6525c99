{{ staged(source('tap_kissmetrics', 'metrics')) }}
