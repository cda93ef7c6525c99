{{ staged(source('tap_kissmetrics', 'report_results')) }}
