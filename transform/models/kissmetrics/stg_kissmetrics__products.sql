{{ staged(source('tap_kissmetrics', 'products')) }}
