{#- Every row's columns are found together in a row of another model. -#}
{% test found_in(model, columns, to) %}
select distinct {{ quoted(columns) }} from {{ model }}
except
select {{ quoted(columns) }} from {{ to }}
{% endtest %}
