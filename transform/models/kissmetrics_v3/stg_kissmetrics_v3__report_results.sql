{{ staged(source('tap_kissmetrics_v3', 'report_results')) }}
