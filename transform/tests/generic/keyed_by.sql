{#- No row shares its key with another, and no part of a key is null. `nulls`: parts may be null. -#}
{% test keyed_by(model, columns, nulls=false) %}
select {{ quoted(columns) }}, count(*) as rows_with_it
from {{ model }}
group by {{ quoted(columns) }}
having count(*) > 1
{%- if not nulls %}
{%- for column in columns %} or {{ adapter.quote(column) }} is null{% endfor %}
{%- endif %}
{% endtest %}
