{{ staged(source('tap_khoros_analytics', 'response_approval')) }}
