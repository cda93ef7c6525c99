{#- The people: those with events, and those that only aliases name. -#}
with identities as (
    select product, identity, person from {{ ref("kissmetrics_identities") }}
    union
    select product, identity, person from {{ ref("kissmetrics_events") }}
),
persons as (
    select product, person, count(*) as identities from identities group by product, person
),
seen as (
    select product, person, count(*) as events, min(occurred_at) as first_event_at, max(occurred_at) as last_event_at
    from {{ ref("kissmetrics_events") }}
    group by product, person
)
select
    persons.product,
    persons.person,
    persons.identities,
    coalesce(seen.events, 0) as events,
    seen.first_event_at,
    seen.last_event_at
from persons
left join seen on seen.product = persons.product and seen.person = persons.person
