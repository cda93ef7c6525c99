{#- All differences between DuckDB on JSONL files and PostgreSQL as target-postgres fills it. -#}

{% macro is_loaded(relation) %}{% do return(adapter.dispatch("is_loaded")(relation)) %}{% endmacro %}

{% macro duckdb__is_loaded(relation) %}
{%- set file = (relation | string).split("'")[1] %}
{%- do return(run_query("select count(*) from glob('" ~ file ~ "')").columns[0][0] > 0) %}
{% endmacro %}

{% macro postgres__is_loaded(relation) %}
{%- do return(load_relation(relation) is not none) %}
{% endmacro %}


{#- The types of loaded columns, by name: of all columns in PostgreSQL; over files, where each value is JSON, of those
    that the tap gave a type, if all values have it. -#}
{% macro types_loaded(relation, loaded) %}{% do return(adapter.dispatch("types_loaded")(relation, loaded)) %}{% endmacro %}

{% macro duckdb__types_loaded(relation, loaded) %}
{%- set typed, types = [], {} %}
{%- for name in loaded if has_type(name, loaded) %}{% do typed.append(name) %}{% endfor %}
{%- if typed %}
{%- set query %}
select
{%- for name in typed %}
    {{ type_of_values(adapter.quote(name)) }} as {{ adapter.quote(name) }}{{ "," if not loop.last }}
{%- endfor %}
from {{ relation }}
{%- endset %}
{%- set row = run_query(query).rows[0] %}
{%- for name in typed %}{% do types.update({name: row[loop.index0]}) %}{% endfor %}
{%- endif %}
{%- do return(types) %}
{% endmacro %}

{% macro type_of_values(column) -%}
{%- set kind = "json_type(" ~ column ~ ")" %}
{%- set there = "filter (where " ~ kind ~ " <> 'NULL')" -%}
case
        when bool_and({{ kind }} in ('BIGINT', 'UBIGINT')) {{ there }} then 'bigint'
        when bool_and({{ kind }} in ('BIGINT', 'UBIGINT', 'DOUBLE')) {{ there }} then 'float8'
        when bool_and({{ kind }} = 'BOOLEAN') {{ there }} then 'boolean'
        when bool_and({{ has_offset(as_text(column)) }}) {{ there }} then 'timestamptz'
        else 'text'
    end
{%- endmacro %}

{% macro postgres__types_loaded(relation, loaded) %}
{%- set types = {} %}
{%- for column in adapter.get_columns_in_relation(relation) %}{% do types.update({column.name: column.dtype}) %}{% endfor %}
{%- do return(types) %}
{% endmacro %}


{#- The newest row of each key. target-jsonl appends lines; target-postgres has already replaced the row. -#}
{% macro newest(relation, key) %}{{ adapter.dispatch("newest")(relation, key) }}{% endmacro %}

{% macro duckdb__newest(relation, key) %}(
    select *
    from (select *, row_number() over () as line_of_file from {{ relation }})
    qualify row_number() over (partition by {{ quoted(key) }} order by line_of_file desc) = 1
){% endmacro %}

{% macro postgres__newest(relation, key) %}{{ relation }}{% endmacro %}


{#- A column's value in the type that the model's YAML declares. -#}
{% macro typed(column, type) %}{{ adapter.dispatch("typed")(column, type) }}{% endmacro %}

{% macro duckdb__typed(column, type) -%}
{{ column if type == "json" else "cast(" ~ as_text(column) ~ " as " ~ type ~ ")" }}
{%- endmacro %}

{#- target-postgres stores timestamps without a time zone, in UTC. -#}
{% macro postgres__typed(column, type) -%}
{%- if type == "timestamptz" %}{{ column }} at time zone 'UTC'
{%- elif type == "json" %}to_jsonb({{ column }})
{%- else %}cast({{ column }} as {{ type }})
{%- endif %}
{%- endmacro %}

{% macro type_named(type) %}{{ adapter.dispatch("type_named")(type) }}{% endmacro %}
{% macro duckdb__type_named(type) %}{{ type }}{% endmacro %}
{% macro postgres__type_named(type) %}{{ "jsonb" if type == "json" else type }}{% endmacro %}


{#- A column's value as text. DuckDB reads each value of the JSONL files as JSON, so that the YAML can set its type. -#}
{% macro as_text(column) %}{{ adapter.dispatch("as_text")(column) }}{% endmacro %}
{% macro duckdb__as_text(column) %}({{ column }} ->> '$'){% endmacro %}
{% macro postgres__as_text(column) %}cast({{ column }} as text){% endmacro %}


{% macro quoted(names) %}
{%- for name in names %}{{ adapter.quote(name) }}{{ ", " if not loop.last }}{% endfor %}
{%- endmacro %}
