{#- A stream as a typed table, newest row per key. The model's YAML declares the columns, their types and the key.

    A column that was not loaded (because it is deselected, or the tenant does not have it) is null. A column that
    is not in the YAML (Khoros: a column of the tenant) follows as text, or in the type that the tap gave it: see has_type.
    Columns of the target (`_sdc_...`) are left out. -#}
{% macro staged(relation) %}
{%- if execute %}
{%- set loaded = columns_loaded(relation) %}
{%- set known = model.columns.values() | list %}
{%- set types = types_loaded(relation, loaded) %}
select
{%- for column in known %}
    {{ as_typed(column, loaded, types) }} as {{ adapter.quote(column.name) }}{{ "," if not loop.last }}
{%- endfor %}
{%- for name in loaded if name not in known | map(attribute="name") and not name.startswith("_sdc_") %},
    {{ followed(name, loaded, types) }} as {{ adapter.quote(name) }}
{%- endfor %}
from {{ newest(relation, model.config.meta.key) }} as newest
{%- endif %}
{% endmacro %}


{% macro as_typed(column, loaded, types) %}
{%- set text_of = column.config.meta.get("text_of") %}
{%- set name = text_of or column.name %}
{%- if name not in loaded %}cast(null as {{ type_named(column.data_type) }})
{%- elif text_of and types.get(name, "text").startswith("timestamp") %}{{ typed(adapter.quote(name), "timestamptz") }}
{%- elif text_of %}{{ timestamp_of(as_text(adapter.quote(name))) }}
{%- elif column.data_type == "text" %}{{ followed(name, loaded, types) }}
{%- else %}{{ typed(adapter.quote(name), column.data_type) }}
{%- endif %}
{%- endmacro %}


{#- A column that the YAML has no type for: a text, or the type of its values. -#}
{% macro followed(name, loaded, types) %}
{%- set type = types.get(name, "text") %}
{%- set aliases = {"numeric": "float8", "double precision": "float8", "timestamp without time zone": "timestamptz"} %}
{%- set own = aliases.get(type, type) %}
{%- if has_type(name, loaded) and own in ["bigint", "float8", "boolean", "timestamptz"] %}
{{- typed(adapter.quote(name), own) }}
{%- else %}{{ as_text(adapter.quote(name)) }}
{%- endif %}
{%- endmacro %}


{#- Whether the tap gave the column a type (Khoros): then its texts are beside it in `_raw`, or it is beside a duration. -#}
{% macro has_type(name, loaded) %}
{%- do return((name ~ "_raw") in loaded or (name.endswith("_seconds") and name[:-8] in loaded)) %}
{% endmacro %}


{#- A time that the vendor writes as text, or that the tap gave an offset, as a timestamp; null if it has another format. -#}
{% macro timestamp_of(text) -%}
case when {{ text }} ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$'
        then cast({{ text }} as timestamp) at time zone '{{ var("khoros_timezone") }}'
    when {{ has_offset(text) }}
        then cast({{ text }} as timestamptz) end
{%- endmacro %}

{% macro has_offset(text) -%}
{{ text }} ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?[-+][0-9]{2}:[0-9]{2}$'
{%- endmacro %}


{#- The names of the columns that were loaded. -#}
{% macro columns_loaded(relation) %}
{%- if not is_loaded(relation) %}
{%- do exceptions.raise_compiler_error(
    "the stream was not loaded: " ~ relation ~ " does not exist. To build without it: dbt build --exclude " ~ model.name
) %}
{%- endif %}
{%- do return(get_columns_in_query("select * from " ~ relation)) %}
{% endmacro %}
