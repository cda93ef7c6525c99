{{ staged(source('tap_khoros_analytics', 'raw_expert_help')) }}
