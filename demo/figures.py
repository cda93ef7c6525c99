"""The three tables of the report, each with a sentence that its figures prove."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from demo.warehouse import Warehouse

Cell = tuple[Any, Any, int]  # row, column, figure

VISITORS = """
    SELECT date, source, sum(visitors)::BIGINT FROM sources
    WHERE date > (SELECT max(date) FROM sources) - 7 GROUP BY ALL"""

PEOPLE = """
    WITH found AS (
        SELECT report_name, kmid, (start_date AT TIME ZONE timezone)::DATE AS day
        FROM report_results JOIN products ON products.id = report_results.product_id
    ), week AS (FROM found WHERE day > (SELECT max(day) FROM found) - 7)
"""
PEOPLE_BY_DAY = PEOPLE + "SELECT report_name, day, count(DISTINCT kmid) FROM week GROUP BY ALL"
PEOPLE_BY_REPORT = PEOPLE + "SELECT report_name, count(DISTINCT kmid) FROM week GROUP BY ALL"
PEOPLE_IN_ALL = PEOPLE + "SELECT count(DISTINCT kmid) FROM week"

# The day of a mobile device's line is that of its receipt: its own clock can be wrong by years.
EVENTS = """
    WITH found AS (
        SELECT coalesce(received_at, occurred_at)::DATE AS day, event FROM raw_events
    )
    SELECT day, event, count(*) FROM found
    WHERE day > (SELECT max(day) FROM found) - 7 GROUP BY ALL"""

CONVERSATIONS = """
    SELECT coalesce(team_name, 'no team'), status, count(*) FROM conversation GROUP BY ALL"""


@dataclass(frozen=True)
class Figure:
    """A table of figures. ``cells`` has a list per row, ``totals`` a figure per row.

    ``finding`` is a sentence that the figures prove, ``title`` says what they count, ``note`` how.
    """

    name: str
    tap: str
    finding: str
    title: str
    note: str
    corner: str
    rows: list[str]
    columns: list[str]
    cells: list[list[int]]
    total: str
    totals: list[int]
    headline: int
    counted: str
    measure: str = ""  # what the bars of the chart measure
    parts: str = ""  # what the parts of a bar are


def figures(warehouses: Mapping[str, Warehouse]) -> list[Figure]:
    """Return the report's tables, from the warehouse of each tap."""
    return [
        visitors_by_day_and_source(warehouses["tap-kindmetrics"]),
        people_by_report(warehouses["tap-kissmetrics"]),
        events_by_day_and_name(warehouses["tap-kissmetrics"]),
        conversations_by_status(warehouses["tap-khoros-analytics"]),
    ]


def visitors_by_day_and_source(warehouse: Warehouse) -> Figure:
    """Return a table with a row per day and a column per source, the largest source first."""
    found = warehouse.rows(VISITORS)
    days, sources = sorted({day for day, _, _ in found}), by_size((s, n) for _, s, n in found)
    cells = crossed(found, days, sources)
    everything, largest = sum(map(sum, cells)), sum(row[0] for row in cells)
    return Figure(
        name="visitors_by_day_and_source",
        tap="tap-kindmetrics",
        finding=f"{sources[0]} brought {largest:,} of {everything:,} visitors with a known source",
        title=f"Visitors per day by source, {span(days)}",
        note="Days are in UTC. A visitor who comes on two days, to two domains or from two sources "
        "is counted twice.",
        corner="day",
        rows=[day_name(day) for day in days],
        columns=sources,
        cells=cells,
        total="all sources",
        totals=[sum(row) for row in cells],
        headline=everything,
        counted="visitors with a known source, day by day",
        measure="visitors per day",
        parts="source",
    )


def people_by_report(warehouse: Warehouse) -> Figure:
    """Return a table with a row per report and a column per day; totals count a person once."""
    found, totals = warehouse.rows(PEOPLE_BY_DAY), dict(warehouse.rows(PEOPLE_BY_REPORT))
    reports, days = sorted(totals), sorted({day for _, day, _ in found})
    cells = crossed(found, reports, days)
    ((everyone,),) = warehouse.rows(PEOPLE_IN_ALL)
    most = max(map(max, cells))
    return Figure(
        name="people_by_report",
        tap="tap-kissmetrics",
        finding=f"{len(reports)} reports found {everyone:,} people, "
        f"at most {most:,} per report and day",
        title=f"Different people found per day, by report, {span(days)}",
        note="Days are in the product's time zone. A person who is found on two days counts once "
        "in the table's last column.",
        corner="report",
        rows=reports,
        columns=[day_name(day) for day in days],
        cells=cells,
        total="different people",
        totals=[totals[report] for report in reports],
        headline=everyone,
        counted=f"different people, found by {len(reports)} reports",
    )


def events_by_day_and_name(warehouse: Warehouse) -> Figure:
    """Return a table with a row per day and a column per event, the most frequent first."""
    found = warehouse.rows(EVENTS)
    days, names = sorted({day for day, _, _ in found}), by_size((e, n) for _, e, n in found)
    cells = crossed(found, days, names)
    everything, most = sum(map(sum, cells)), sum(row[0] for row in cells)
    return Figure(
        name="events_by_day_and_name",
        tap="tap-kissmetrics",
        finding=f"{most:,} of {everything:,} events in the raw data export are {names[0]}",
        title=f"Events per day by name, {span(days)}",
        note="Days are in UTC. Equal lines of the export are counted each.",
        corner="day",
        rows=[day_name(day) for day in days],
        columns=names,
        cells=cells,
        total="all events",
        totals=[sum(row) for row in cells],
        headline=everything,
        counted="events in the raw data export",
        measure="events per day",
        parts="event",
    )


def conversations_by_status(warehouse: Warehouse) -> Figure:
    """Return a table with a row per team, the largest first, and a column per status."""
    found = warehouse.rows(CONVERSATIONS)
    teams = by_size((team, count) for team, _, count in found)
    statuses = sorted({status for _, status, _ in found}, reverse=True)
    cells = crossed(found, teams, statuses)
    everything = sum(map(sum, cells))
    open_by_team = {t: n for t, status, n in found if status == "OPEN"} or {teams[0]: 0}
    busiest = max(open_by_team, key=lambda team: open_by_team[team])
    return Figure(
        name="conversations_by_status",
        tap="tap-khoros-analytics",
        finding=f"{sum(open_by_team.values()):,} of {everything:,} conversations are open, "
        f"{open_by_team[busiest]:,} of them in the team {busiest}",
        title="Conversations by team and status",
        note="Each conversation has the status from the newest window that contains it.",
        corner="team",
        rows=teams,
        columns=statuses,
        cells=cells,
        total="all",
        totals=[sum(row) for row in cells],
        headline=everything,
        counted="conversations, of any status",
        measure="conversations",
        parts="status",
    )


def crossed(found: Iterable[Cell], rows: list[Any], columns: list[Any]) -> list[list[int]]:
    """Return the figures as a list per row; 0 where there is none."""
    figure = {(row, column): count for row, column, count in found}
    return [[figure.get((row, column), 0) for column in columns] for row in rows]


def by_size(counts: Iterable[tuple[str, int]]) -> list[str]:
    """Return the names, the one with the largest sum first."""
    sums: dict[str, int] = {}
    for name, count in counts:
        sums[name] = sums.get(name, 0) + count
    return sorted(sums, key=lambda name: (-sums[name], name))


def day_name(day: date) -> str:
    """Return a day for people, such as ``Sat 14 Nov``."""
    return f"{day:%a} {day.day} {day:%b}"


def span(days: list[date]) -> str:
    """Return the first and the last day, such as ``14 Nov to 20 Nov 2026``."""
    return f"{days[0].day} {days[0]:%b} to {days[-1].day} {days[-1]:%b %Y}"
