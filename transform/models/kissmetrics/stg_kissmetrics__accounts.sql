{{ staged(source('tap_kissmetrics', 'accounts')) }}
