"""The demo's report in a browser shows the rows of the files."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from demo.figures import day_name
from tests.end_to_end.browser import opened
from tests.end_to_end.project import ROOT, lines

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.end_to_end.browser import Mode
    from tests.end_to_end.conftest import FirstDemo

pytestmark = [pytest.mark.xdist_group("meltano"), pytest.mark.timeout(600)]

CHARTS = (
    "visitors_by_day_and_source",
    "people_by_report",
    "events_by_day_and_name",
    "conversations_by_status",
)
Cells = dict[str, dict[str, int]]


def newest(folder: Path, stream: str, key: str) -> list[dict[str, Any]]:
    """Return the newest row of each key."""
    return list({row[key]: row for row in lines(folder, stream)}.values())


def crossed(found: Iterable[tuple[str, str, int]]) -> Cells:
    """Return sums by row and column; 0 for a missing pair."""
    sums = Counter[tuple[str, str]]()
    for row, column, count in found:
        sums[row, column] += count
    columns = {column for _, column in sums}
    return {row: {column: sums[row, column] for column in columns} for row, _ in sums}


def last_week(days: Iterable[date]) -> set[date]:
    last = max(days)
    return {last - timedelta(days=n) for n in range(7)}


def visitors(output: Path) -> Cells:
    rows = newest(output / "tap-kindmetrics", "sources", "row_id")
    days = {row["row_id"]: date.fromisoformat(row["date"]) for row in rows}
    week = last_week(days.values())
    return crossed(
        (day_name(days[row["row_id"]]), row["source"], row["visitors"])
        for row in rows
        if days[row["row_id"]] in week
    )


def events(output: Path) -> Cells:
    """Return the number of events by day and name; each line is in the file once."""
    rows = lines(output / "tap-kissmetrics", "raw_events")
    days = [
        datetime.fromisoformat((row["received_at"] or row["occurred_at"]).replace("Z", "+00:00"))
        for row in rows
    ]
    week = last_week(moment.date() for moment in days)
    return crossed(
        (day_name(moment.date()), row["event"], 1)
        for row, moment in zip(rows, days, strict=True)
        if moment.date() in week
    )


def people(output: Path) -> tuple[Cells, dict[str, int], int]:
    """Return the number of people by report and day, by report, and in total."""
    folder = output / "tap-kissmetrics"
    zones = {row["id"]: ZoneInfo(row["timezone"]) for row in lines(folder, "products")}
    found = {
        (row["report_name"], moment(row).astimezone(zones[row["product_id"]]).date(), row["kmid"])
        for row in newest(folder, "report_results", "row_id")
        if row["kmid"] is not None
    }
    week = last_week(day for _, day, _ in found)
    found = {(report, day, person) for report, day, person in found if day in week}
    by_report = Counter(report for report, _ in {(report, p) for report, _, p in found})
    cells = crossed((report, day_name(day), 1) for report, day, _ in found)
    return cells, dict(by_report), len({person for _, _, person in found})


def moment(row: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(row["start_date"].replace("Z", "+00:00"))


def conversations(output: Path) -> Cells:
    rows = newest(output / "tap-khoros-analytics", "conversation", "conversation_id")
    return crossed((row["team_name"], row["status"], 1) for row in rows)


def numbers(table: dict[str, dict[str, str]], *, without: str) -> Cells:
    """Return the figures of a table on the page, without the column of totals."""
    return {
        row: {name: number(text) for name, text in cells.items() if name != without}
        for row, cells in table.items()
    }


def totals(table: dict[str, dict[str, str]], column: str) -> dict[str, int]:
    return {row: number(cells[column]) for row, cells in table.items()}


def number(text: str) -> int:
    return int(text.replace(",", ""))


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_page_draws_its_charts_without_a_network(first_demo: FirstDemo, mode: Mode) -> None:
    page = first_demo.output / "report.html"
    with opened(page, mode) as view:
        view.page.wait_for_selector(f"body[data-drawn={mode}]")
        for name in CHARTS:
            figures = [cell for row in view.table(name).values() for cell in row.values()]
            drawn = view.page.locator(f"#{name} .chart svg text").all_text_contents()
            assert set(figures) & set(drawn), name
        assert view.page.evaluate("document.documentElement.scrollWidth") == 1100
        paper, ink = view.page.evaluate(
            "[document.body, document.querySelector('.chart svg .mark-text text')].map(one =>"
            " getComputedStyle(one)).map((s, n) => n ? s.fill : s.backgroundColor)"
        )
        assert brightness(ink) != brightness(paper), "text on its background"
        assert brightness(paper) == mode
        headings = view.page.locator("h1, h2, figcaption").all_inner_texts()
        assert len(headings) == len(set(headings))
        assert view.errors == []
        assert [url for url in view.requested if not url.startswith(("data:", page.as_uri()))] == []


def brightness(color: str) -> str:
    """Return whether a colour such as ``rgb(18, 24, 31)`` is light or dark."""
    return "light" if sum(map(int, re.findall(r"\d+", color)[:3])) > 3 * 128 else "dark"


def test_part_of_a_chart_has_a_tooltip_with_its_figures(first_demo: FirstDemo) -> None:
    with opened(first_demo.output / "report.html") as view:
        view.page.wait_for_selector("body[data-drawn]")
        day, sources = next(iter(view.table("visitors_by_day_and_source").items()))
        view.page.locator("#visitors_by_day_and_source .mark-rect path").first.hover()
        text = view.page.locator("#vg-tooltip-element.visible").inner_text()
    source = next(name for name in sources if name in text)
    for part in (day, source, sources[source], sources["all sources"]):
        assert part in text


def test_figures_are_those_of_the_files(first_demo: FirstDemo) -> None:
    output = first_demo.output
    with opened(output / "report.html") as view:
        by_day, by_report, _, by_status = (view.table(name) for name in CHARTS)
        headings = view.page.locator("h2").all_inner_texts()
        counts = [number(text) for text in view.page.locator(".counts strong").all_inner_texts()]

    wanted = visitors(output)
    assert numbers(by_day, without="all sources") == wanted
    sums = {day: sum(cells.values()) for day, cells in wanted.items()}
    assert totals(by_day, "all sources") == sums
    google = f"{sum(cells['Google'] for cells in wanted.values()):,}"
    assert f"Google brought {google} of {sum(sums.values()):,} visitors" in headings[0]

    cells, each, everyone = people(output)
    assert numbers(by_report, without="different people") == cells
    assert totals(by_report, "different people") == each
    assert f"{len(each)} reports found {everyone:,} people" in headings[1]

    statuses = conversations(output)
    assert numbers(by_status, without="all") == statuses
    everything = sum(map(sum, (team.values() for team in statuses.values())))
    still_open = f"{sum(team['OPEN'] for team in statuses.values()):,} of {everything:,}"
    assert f"{still_open} conversations are open" in headings[3]
    assert [*counts[:2], counts[3]] == [sum(sums.values()), everyone, everything]


def test_events_are_those_of_the_files(first_demo: FirstDemo) -> None:
    with opened(first_demo.output / "report.html") as view:
        by_event = view.table("events_by_day_and_name")
        heading = view.page.locator("h2").all_inner_texts()[2]
        count = number(view.page.locator(".counts strong").all_inner_texts()[2])
    named = events(first_demo.output)
    assert numbers(by_event, without="all events") == named
    per_day = totals(by_event, "all events")
    assert per_day == {day: sum(cells.values()) for day, cells in named.items()}
    assert f" of {count:,} events in the raw data export are " in heading
    assert count == sum(per_day.values())


def test_page_shows_the_rows_of_every_stream(first_demo: FirstDemo) -> None:
    with opened(first_demo.output / "report.html") as view:
        text = view.page.locator("#streams").inner_text()
        counts = view.page.locator(".counts strong").all_inner_texts()
    for stream, (new, _, arrived) in first_demo.rows().items():
        assert f"\n{stream}\t{new:,}\t" in text, stream
        assert f"\t{arrived:,}" in text, stream
    assert number(counts[4]) == sum(arrived for _, _, arrived in first_demo.rows().values())


def show(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run what ``make show`` runs, without its prerequisites."""
    kept = {k: v for k, v in os.environ.items() if k not in {"DISPLAY", "WAYLAND_DISPLAY"}}
    return subprocess.run(
        [sys.executable, "-m", "demo.show"],
        cwd=folder,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_show_without_a_desktop_prints_the_path(first_demo: FirstDemo) -> None:
    done = show(first_demo.folder)
    assert done.returncode == 0
    assert done.stdout.startswith("The report is output/demo/report.html\n")
    assert "No browser could be opened here" in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a desktop")
def test_show_with_a_desktop_opens_the_browser(first_demo: FirstDemo, tmp_path: Path) -> None:
    browser, note = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" > {note}\n')
    browser.chmod(0o755)
    done = show(first_demo.folder, DISPLAY=":7", BROWSER=f"{browser} %s")
    assert done.returncode == 0
    assert done.stdout == "The report is output/demo/report.html\n"
    assert note.read_text().strip().endswith("/output/demo/report.html")


def test_show_without_a_report_fails(tmp_path: Path) -> None:
    (tmp_path / "demo").symlink_to(ROOT / "demo")
    done = show(tmp_path)
    assert (done.returncode, done.stdout) == (1, "There is no report yet: `make demo` writes it.\n")
