{#- Check that another model has a row with the same values in these columns. -#}
{% test found_in(model, columns, to) %}
select distinct {{ quoted(columns) }} from {{ model }}
except
select {{ quoted(columns) }} from {{ to }}
{% endtest %}
