{{ staged(source('tap_kindmetrics', 'domain_stats')) }}
