{{ staged(source('tap_khoros_analytics', 'conversation_history_action')) }}
