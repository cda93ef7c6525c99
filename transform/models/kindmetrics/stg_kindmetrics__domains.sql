{{ staged(source('tap_kindmetrics', 'domains')) }}
