{{ staged(source('tap_kindmetrics', 'current_visitors')) }}
