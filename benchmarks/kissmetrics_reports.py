"""Kissmetrics: reports that take seconds at the vendor; memory for lists of two sizes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.kissmetrics import Kissmetrics, RunRules, Sizes

from benchmarks.measure import measured
from benchmarks.runs import median_of, scratch, seconds, tap_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.contest import Options

REPORTS, RUN_S, IN_FLIGHT, LIMIT_S = 12, 3, 6, 12
DAY = {"start_date": "2026-01-10", "end_date": "2026-01-10"}
EVENTS = (10_000, 100_000)


def run(options: Options) -> Iterator[str]:
    """Measure concurrent reports and memory."""
    rows = ["| measured | median (min to max), or peak | limit |", "|---|---|---|"]
    yield "\n".join([*rows, concurrent_reports(options.runs), memory(options)])


def concurrent_reports(rounds: int) -> str:
    """Measure the whole process for one window of each report, with default polling."""
    sizes = Sizes(reports=REPORTS, report_types=("people_search_v2",))
    api = Kissmetrics(sizes=sizes, run_rules=RunRules(run_seconds=RUN_S))
    with api.serving() as at, scratch() as folder:
        settings = {
            "api_url": at.core,
            "query_url": at.query,
            "api_token": api.token,
            "max_concurrency": IN_FLIGHT,
            **DAY,
        }
        command = tap_command("tap-kissmetrics", settings, Path(folder))
        figures = [seconds(command) for _ in range(rounds)]
    ran = sum(api.runs.values()) // rounds
    return (
        f"| {ran} reports of {RUN_S} s each, {IN_FLIGHT} at a time | "
        f"{median_of(figures)} | under {LIMIT_S} s; {ran * RUN_S} s one by one |"
    )


def memory(options: Options) -> str:
    """Measure the peak memory of runs that read events in pages of 1,000."""
    sizes = [options.sized(count) for count in EVENTS]
    peaks = [peak_mib(count) for count in sizes]
    growth = 100 * (peaks[1] / peaks[0] - 1)
    return (
        f"| {sizes[1]:,} events in pages of 1,000 | {peaks[1]:.1f} MiB, {growth:+.1f} % | "
        f"within 20 % of {sizes[0]:,} events ({peaks[0]:.1f} MiB) |"
    )


def peak_mib(events: int) -> float:
    """Return the peak memory of one run that reads all streams but the results."""
    api = Kissmetrics(sizes=Sizes(events=events, reports=0))
    with api.serving() as at, scratch() as folder:
        settings = {"api_url": at.core, "query_url": at.query, "api_token": api.token, **DAY}
        command = tap_command("tap-kissmetrics", settings, Path(folder))
        return measured(command, Path(folder)).peak_mib
