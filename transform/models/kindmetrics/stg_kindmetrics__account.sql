{{ staged(source('tap_kindmetrics', 'account')) }}
