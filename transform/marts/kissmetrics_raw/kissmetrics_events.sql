{#- The events as the vendor counts them: once for each identity, name and time, with the person. -#}
with events as (
    select distinct product, identity, event, occurred_at from {{ ref("stg_kissmetrics__raw_events") }}
)
select
    events.product,
    events.identity,
    events.event,
    events.occurred_at,
    coalesce(identities.person, events.identity) as person
from events
left join {{ ref("kissmetrics_identities") }} as identities
    on identities.product = events.product and identities.identity = events.identity
