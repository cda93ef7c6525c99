{{ staged(source('tap_khoros_analytics', 'raw_agent_states')) }}
