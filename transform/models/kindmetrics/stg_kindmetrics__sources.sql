{{ staged(source('tap_kindmetrics', 'sources')) }}
