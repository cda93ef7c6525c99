{#- A stream as a typed table, newest row per key. The model's own YAML says the columns, their types and the key.

    A column that was not loaded (deselected, or the tenant does not have it) is null. One that the YAML does not
    know (Khoros: the tenant's own) follows as text. What the target added (`_sdc_...`) is left out. -#}
{% macro staged(relation) %}
{%- if execute %}
{%- set loaded = columns_loaded(relation) %}
{%- set known = model.columns.values() | list %}
select
{%- for column in known %}
    {{ as_typed(column, loaded) }} as {{ adapter.quote(column.name) }}{{ "," if not loop.last }}
{%- endfor %}
{%- for name in loaded if name not in known | map(attribute="name") and not name.startswith("_sdc_") %},
    {{ as_text(adapter.quote(name)) }} as {{ adapter.quote(name) }}
{%- endfor %}
from {{ newest(relation, model.config.meta.key) }} as newest
{%- endif %}
{% endmacro %}


{% macro as_typed(column, loaded) %}
{%- set text_of = column.config.meta.get("text_of") %}
{%- set name = text_of or column.name %}
{%- if name not in loaded %}cast(null as {{ type_named(column.data_type) }})
{%- elif text_of %}{{ moment(as_text(adapter.quote(name))) }}
{%- else %}{{ typed(adapter.quote(name), column.data_type) }}
{%- endif %}
{%- endmacro %}


{#- A time that the vendor writes as text, as a moment; null where the text is something else. -#}
{% macro moment(text) -%}
case when {{ text }} ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$'
        then cast({{ text }} as timestamp) at time zone '{{ var("khoros_timezone") }}' end
{%- endmacro %}


{#- The names of the columns that are there. -#}
{% macro columns_loaded(relation) %}
{%- if not is_loaded(relation) %}
{%- do exceptions.raise_compiler_error(
    "nothing was loaded: there is no " ~ relation ~ ". Where that is as it should be: dbt build --exclude " ~ model.name
) %}
{%- endif %}
{%- do return(get_columns_in_query("select * from " ~ relation)) %}
{% endmacro %}
