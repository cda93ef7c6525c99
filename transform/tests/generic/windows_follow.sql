{#- Each window begins where the one before it ended: no day is missing in between.

    `per`: columns that have windows of their own. Dates: the day after; moments: the same moment. -#}
{% test windows_follow(model, first, last, per=[], dates=true) %}
with windows as (
    select {{ quoted(per) }}{{ "," if per }} {{ first }} as begins, max({{ last }}) as ends
    from {{ model }}
    group by {{ quoted(per) }}{{ "," if per }} {{ first }}
),
followed as (
    select
        windows.*,
        lag(ends) over ({% if per %}partition by {{ quoted(per) }} {% endif %}order by begins) as before
    from windows
)
select * from followed
where before is not null and begins <> before{{ " + 1" if dates }}
{% endtest %}
