{{ staged(source('tap_kindmetrics', 'goals')) }}
