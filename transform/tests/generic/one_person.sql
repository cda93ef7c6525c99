{#- Check that both identities of each alias have one row, and the same person. -#}
{% test one_person(model, aliases) %}
select alias.product, alias.identity, alias.second_identity
from {{ aliases }} as alias
left join {{ model }} as one on one.product = alias.product and one.identity = alias.identity
left join {{ model }} as other
    on other.product = alias.product and other.identity = alias.second_identity
where one.person is null or other.person is null or one.person <> other.person
{% endtest %}
