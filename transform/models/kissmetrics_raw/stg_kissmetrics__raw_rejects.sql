{{ staged(source('tap_kissmetrics', 'raw_rejects')) }}
