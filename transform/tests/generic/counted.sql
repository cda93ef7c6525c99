{#- Check that a column has the number of rows that another model has with the same values in `per`. -#}
{% test counted(model, column, per, to) %}
with counts as (
    select {{ quoted(per) }}, count(*) as found from {{ to }} group by {{ quoted(per) }}
)
select {{ quoted(per) }}, {{ adapter.quote(column) }}, found
from {{ model }} full join counts using ({{ quoted(per) }})
where {{ adapter.quote(column) }} is null or {{ adapter.quote(column) }} <> coalesce(found, 0)
{% endtest %}
