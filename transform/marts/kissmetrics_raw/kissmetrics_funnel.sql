{#- A funnel: how many people did each step after the one before. -#}
{%- set steps = var("kissmetrics_funnel") %}
with step_1 as (
    select product, person, min(occurred_at) as reached_at
    from {{ ref("kissmetrics_events") }}
    where event = '{{ steps[0] | replace("'", "''") }}'
    group by product, person
)
{%- for step in steps[1:] %},
step_{{ loop.index + 1 }} as (
    select events.product, events.person, min(events.occurred_at) as reached_at
    from {{ ref("kissmetrics_events") }} as events
    join step_{{ loop.index }} as earlier
        on earlier.product = events.product and earlier.person = events.person and events.occurred_at >= earlier.reached_at
    where events.event = '{{ step | replace("'", "''") }}'
    group by events.product, events.person
)
{%- endfor %}
{%- for step in steps %}
{{ "union all" if not loop.first }}
select product, {{ loop.index }} as step, '{{ step | replace("'", "''") }}' as event, count(*) as people
from step_{{ loop.index }}
group by product
{%- endfor %}
