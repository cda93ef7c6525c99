{{ staged(source('tap_kindmetrics', 'entry_pages')) }}
