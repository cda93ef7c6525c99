{#- Check that no two rows have the same key, and that no part of a key is null. With `nulls`, parts may be null. -#}
{% test keyed_by(model, columns, nulls=false) %}
select {{ quoted(columns) }}, count(*) as rows_with_it
from {{ model }}
group by {{ quoted(columns) }}
having count(*) > 1
{%- if not nulls %}
{%- for column in columns %} or {{ adapter.quote(column) }} is null{% endfor %}
{%- endif %}
{% endtest %}
