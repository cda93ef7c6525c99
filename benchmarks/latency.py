"""Waiting for the network: 400 requests over 8 partitions, 100 ms each, compared with peers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import paged
from benchmarks.contest import Case, Contestant, contest
from benchmarks.rows import PAGE_ROWS
from benchmarks.server import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.contest import Options

PARTITIONS, PAGES, IN_FLIGHT, LATENCY_MS = 8, 50, 8, 100
SDK = f"{paged.SDK}, one request at a time"
AIRBYTE = f"{paged.AIRBYTE}, concurrency {IN_FLIGHT}"
DECLARED = "dlt, rest_api resources `parallelized`, extract alone"
DEFERRED = "dlt, deferred calls by hand, extract alone"


def run(options: Options) -> Iterator[Case]:
    """Measure the requests, with at most 8 in flight if a contestant can do that."""
    pages = options.sized(PAGES)
    requests = pages * PARTITIONS
    least_s = requests * LATENCY_MS / 1000 / IN_FLIGHT
    note = (
        f"With {IN_FLIGHT} in flight, {least_s:.1f} s is the minimum. dlt is measured without its "
        "later steps (normalize, load), which do not wait for the network."
    )
    title = f"{requests} requests of {PAGE_ROWS:,} rows over {PARTITIONS} partitions, 100 ms each"
    case = Case("latency", title, requests * PAGE_ROWS, note)
    with serving("--pages", str(requests), "--latency-ms", str(LATENCY_MS)) as url:
        work = paged.Pages(url, pages, PARTITIONS, IN_FLIGHT)
        yield contest(case, everybody(work), options, warm_ups=everybody(work._replace(pages=1)))


def everybody(work: paged.Pages) -> list[Contestant]:
    """Return all contestants, ours first."""
    return [
        paged.ours(work),
        paged.singer_sdk(work, label=SDK),
        paged.dlt(work, "parallelized", DECLARED),
        paged.dlt(work, "deferred", DEFERRED),
        paged.airbyte(work, AIRBYTE),
        paged.bare_concurrent(work),
    ]
