{#- Check that no value is outside the possible range of the figure. Null is allowed. -#}
{% test between(model, column_name, least, most=none) %}
select {{ adapter.quote(column_name) }}
from {{ model }}
where {{ adapter.quote(column_name) }} < {{ least }}
{%- if most is not none %} or {{ adapter.quote(column_name) }} > {{ most }}{% endif %}
{% endtest %}
