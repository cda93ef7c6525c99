{#- Print the result of a build in one line, also with --quiet. -#}
{% macro print_summary(results) %}
{%- if execute and results and flags.WHICH == "build" %}
{%- set good = results | selectattr("status", "in", ["success", "pass"]) | list %}
{%- set warned = results | selectattr("status", "equalto", "warn") | list %}
{%- set models = results | selectattr("node.resource_type", "equalto", "model") | list | length %}
{%- do print(
    models ~ " models, " ~ (results | length - models) ~ " tests: " ~ (results | length - good | length - warned | length)
    ~ " failed or skipped, " ~ warned | length ~ " with a warning. The tables: "
    ~ (target.path if target.type == "duckdb" else target.dbname) ~ ", schema " ~ target.schema
) %}
{%- endif %}
{% endmacro %}
