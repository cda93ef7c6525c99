{#- Check that the sum of a column is the number of different rows of another model. -#}
{% test adds_up(model, column, to, columns) %}
select wanted, found
from (select count(*) as wanted from (select distinct {{ quoted(columns) }} from {{ to }}) as rows_of) as one
cross join (select coalesce(sum({{ adapter.quote(column) }}), 0) as found from {{ model }}) as other
where wanted <> found
{% endtest %}
