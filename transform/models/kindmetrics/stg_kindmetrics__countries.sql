{{ staged(source('tap_kindmetrics', 'countries')) }}
