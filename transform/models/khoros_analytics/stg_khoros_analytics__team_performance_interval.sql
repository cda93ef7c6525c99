{{ staged(source('tap_khoros_analytics', 'team_performance_interval')) }}
