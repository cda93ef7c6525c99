{#- The person of each identity that is in an alias: the connected components, named by their first identity.

    Each round gives a node the first label of its neighbours, and then the label of its label, so that the length of
    what is connected about doubles. The test `one_person` fails if the rounds are not enough.
    A later run looks at aliases whose identities are not yet one person; the nodes are persons then.
    Joins have a single column, or PostgreSQL expects few rows of them, and takes hours for many. Without statistics it
    would also compile the rounds to machine code, which takes longer than running them. -#}
{{ config(
    materialized="incremental",
    unique_key=["product", "identity"],
    incremental_strategy="delete+insert",
    pre_hook=["set local jit = off"] if target.type == "postgres" else [],
) }}

{%- set rounds = var("kissmetrics_alias_rounds") %}

with known as (
    {%- if is_incremental() %}
    select product, identity, person, product || chr(31) || identity as name from {{ this }}
    {%- else %}
    select product, identity, identity as person, identity as name
    from {{ ref("stg_kissmetrics__raw_aliases") }}
    where false
    {%- endif %}
),
pairs as (
    select distinct
        product,
        identity,
        second_identity,
        product || chr(31) || identity as name,
        product || chr(31) || second_identity as second_name
    from {{ ref("stg_kissmetrics__raw_aliases") }}
),
ends as materialized (
    select
        pairs.product,
        pairs.identity,
        pairs.second_identity,
        coalesce(one.person, pairs.identity) as one_end,
        coalesce(other.person, pairs.second_identity) as other_end
    from pairs
    left join known as one on one.name = pairs.name
    left join known as other on other.name = pairs.second_name
),
nodes as materialized (
    select product, node, product || chr(31) || node as name, row_number() over (order by product, node) as id
    from (
        select product, one_end as node from ends where one_end <> other_end
        union
        select product, other_end from ends where one_end <> other_end
    ) as found
),
lines as (
    select distinct one.id as one, other.id as other
    from ends
    join nodes as one on one.name = ends.product || chr(31) || ends.one_end
    join nodes as other on other.name = ends.product || chr(31) || ends.other_end
),
edges as materialized (
    select one as node, other as neighbour from lines
    union
    select other, one from lines
),
labels_0 as materialized (
    select id as node, id as label from nodes
),
{%- for round in range(1, rounds + 1) %}
near_{{ round }} as materialized (
    select edges.node, min(neighbours.label) as label
    from edges
    join labels_{{ round - 1 }} as neighbours on neighbours.node = edges.neighbour
    group by edges.node
),
hooked_{{ round }} as materialized (
    select node, min(label) as label
    from (
        select node, label from labels_{{ round - 1 }}
        union all
        select node, label from near_{{ round }}
        union all
        select own.label, near.label
        from labels_{{ round - 1 }} as own
        join near_{{ round }} as near on near.node = own.node
    ) as candidates
    group by node
),
labels_{{ round }} as materialized (
    select hooked.node, of_label.label
    from hooked_{{ round }} as hooked
    join hooked_{{ round }} as of_label on of_label.node = hooked.label
),
{%- endfor %}
persons as materialized (
    select nodes.product, nodes.node, nodes.name, named.node as person
    from labels_{{ rounds }} as labels
    join nodes on nodes.id = labels.node
    join nodes as named on named.id = labels.label
),
identities as (
    select product, identity, product || chr(31) || identity as name
    from (
        select product, identity from ends
        union
        select product, second_identity from ends
    ) as found
)
select known.product, known.identity, persons.person
from known
join persons on persons.name = known.product || chr(31) || known.person
where persons.person <> known.person
union all
select identities.product, identities.identity, coalesce(persons.person, identities.identity) as person
from identities
left join known on known.name = identities.name
left join persons on persons.name = identities.name
where known.name is null
