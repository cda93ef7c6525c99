{#- No value lies outside of what the vendor's figure can be; null is none. -#}
{% test between(model, column_name, least, most=none) %}
select {{ adapter.quote(column_name) }}
from {{ model }}
where {{ adapter.quote(column_name) }} < {{ least }}
{%- if most is not none %} or {{ adapter.quote(column_name) }} > {{ most }}{% endif %}
{% endtest %}
