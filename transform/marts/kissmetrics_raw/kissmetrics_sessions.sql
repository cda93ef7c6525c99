{#- Sessions: the events of a person between two pauses. -#}
with marked as (
    select
        product,
        person,
        identity,
        event,
        occurred_at,
        case
            when occurred_at - lag(occurred_at) over (partition by product, person order by occurred_at, event, identity)
                <= interval '{{ var("kissmetrics_session_minutes") }} minutes'
                then 0
            else 1
        end as is_first
    from {{ ref("kissmetrics_events") }}
),
numbered as (
    select
        product,
        person,
        occurred_at,
        sum(is_first) over (
            partition by product, person order by occurred_at, event, identity rows unbounded preceding
        ) as session
    from marked
)
select
    product,
    person,
    cast(session as bigint) as session,
    min(occurred_at) as started_at,
    max(occurred_at) as ended_at,
    count(*) as events
from numbered
group by product, person, session
