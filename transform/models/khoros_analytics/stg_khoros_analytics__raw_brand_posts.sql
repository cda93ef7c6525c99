{{ staged(source('tap_khoros_analytics', 'raw_brand_posts')) }}
