{{ staged(source('tap_khoros_analytics', 'incoming_post')) }}
