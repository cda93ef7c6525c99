{#- Check that each window begins where the previous one ended, so that no day is missing in between.

    `per`: the columns whose values have separate windows. A window begins one day after the end of the
    previous one if the bounds are dates, and at the same moment if they are timestamps. -#}
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
