{{ staged(source('tap_kindmetrics', 'referrers')) }}
