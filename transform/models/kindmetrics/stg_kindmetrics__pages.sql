{{ staged(source('tap_kindmetrics', 'pages')) }}
