{{ staged(source('tap_khoros_analytics', 'user')) }}
