"""Kindmetrics: a backfill at 100 ms per request, 1 and 8 in flight; time to the first record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.kindmetrics import Kindmetrics
from sandbox.server import running

from benchmarks.runs import (
    FLIGHTS,
    Span,
    alternating,
    first_record_s,
    flights_table,
    median_of,
    scratch,
    seconds,
    tap_command,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.contest import Options

DAYS = 10


def run(options: Options) -> Iterator[str]:
    """Measure the backfill and the start."""
    days = options.sized(DAYS)
    yield backfill(days, options.runs)
    yield first_record(options.runs)


def settings_of(url: str, days: int) -> dict[str, str]:
    """Return the tap's settings for this number of days."""
    dates = {"start_date": "2026-01-01", "end_date": f"2026-01-{days:02}"}
    return {"api_url": url, "api_token": "demo-token", **dates}


def backfill(days: int, rounds: int) -> str:
    """Measure 4 domains, some days, all streams: seconds, ratio, and requests in flight."""
    api = Kindmetrics(domains=4, latency_ms=100)
    runs: dict[int, list[Span]] = {n: [] for n in FLIGHTS}
    with running(api.app) as server, scratch() as folder:
        settings = settings_of(server.url, days)

        def once(in_flight: int) -> Span:
            chosen = {**settings, "max_concurrency": in_flight}
            api.log.clear()
            process = seconds(tap_command("tap-kindmetrics", chosen, Path(folder)))
            seen = list(api.log.requests)
            last = max(request.ended or 0.0 for request in seen)
            return Span(process, last - min(request.started for request in seen))

        once(8)  # the sandbox caches its responses, so that now both sides find them
        for _ in range(rounds):
            for in_flight in FLIGHTS:
                runs[in_flight].append(once(in_flight))
        most = api.log.max_in_flight
    return (
        f"Backfill of 4 domains, {days} days, all streams, 100 ms per request; medians, minimum\n"
        f"and maximum. Most requests in flight: {most}.\n\n{flights_table(runs)}"
    )


def first_record(rounds: int) -> str:
    """Measure the seconds from process start to the first RECORD line, without latency."""
    api = Kindmetrics(domains=4)
    with running(api.app) as server, scratch() as folder:
        settings = settings_of(server.url, DAYS)
        command = tap_command("tap-kindmetrics", settings, Path(folder))
        figures = alternating({"first": lambda: first_record_s(command)}, rounds)["first"]
    return f"Start to first record, without latency: {median_of(figures)}."
