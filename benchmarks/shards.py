"""Shards: a backfill of 20 domains and 90 days on 1, 2 and 4 workers, into PostgreSQL.

Dask runs as many shards as there are workers, each through Meltano. Everything runs on one machine:
workers, loaders, database and sandbox share its cores. For comparison, one worker has as many
requests in flight as four.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from sandbox.kindmetrics import Kindmetrics
from tap_kit.rows.keys import shard_of

from benchmarks.runs import median_of
from orchestration.trial import trial

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.contest import Options

DOMAINS, DAYS, FIRST = 20, 90, date(2026, 1, 1)
STREAMS = ("domain_stats", "sources")
LATENCY_MS = 100


class Crew(NamedTuple):
    """The number of workers, and of requests that each has in flight."""

    workers: int
    in_flight: int


CREWS = (Crew(1, 4), Crew(2, 4), Crew(4, 4), Crew(1, 16))


class Backfill(NamedTuple):
    """One run: seconds of the whole command, and from the first request to the last."""

    whole_s: float
    reading_s: float
    requests: int
    most_in_flight: int


def run(options: Options) -> Iterator[str]:
    """Measure the backfill with each crew."""
    days = max(1, round(DAYS * options.scale))
    api = Kindmetrics(domains=DOMAINS, today=FIRST + timedelta(days=DAYS))
    backfill(api, days, CREWS[2])  # warm-up: installs plugins, fills the sandbox's cache
    api.app.latency_ms = LATENCY_MS
    runs: dict[Crew, list[Backfill]] = {crew: [] for crew in CREWS}
    for _ in range(options.runs):
        for crew in CREWS:
            runs[crew].append(backfill(api, days, crew))
    yield _table(runs, days)


def backfill(api: Kindmetrics, days: int, crew: Crew) -> Backfill:
    """Run the backfill into an empty database.

    Raises:
        RuntimeError: a shard failed, or rows are missing.
    """
    with trial(api) as here:
        here.environment.update(
            TAP_KINDMETRICS_START_DATE=f"{FIRST}",
            TAP_KINDMETRICS_END_DATE=f"{FIRST + timedelta(days=days - 1)}",
            TAP_KINDMETRICS_MAX_CONCURRENCY=f"{crew.in_flight}",
            TAP_KINDMETRICS__SELECT="[" + ", ".join(f'"{name}.*"' for name in STREAMS) + "]",
            MELTANO_CLI_LOG_LEVEL="warning",
        )
        api.log.clear()
        began = time.perf_counter()
        code = here.engine("dask", f"--shards={crew.workers}", f"--workers={crew.workers}")
        whole_s = time.perf_counter() - began
        if code or here.count("domain_stats") != DOMAINS * days:
            msg = f"{crew}: exit code {code}, {here.count('domain_stats')} rows"
            raise RuntimeError(msg)
    requests = [request for request in api.log.requests if request.path.count("/") > 2]
    reading_s = max(r.ended or 0.0 for r in requests) - min(r.started for r in requests)
    return Backfill(whole_s, reading_s, len(requests), api.log.max_in_flight)


def _table(runs: dict[Crew, list[Backfill]], days: int) -> str:
    one_by_one = statistics.median(one.reading_s for one in runs[CREWS[0]])
    rows = []
    for crew, found in runs.items():
        shards = Counter(shard_of([n, "all"], crew.workers) for n in range(1, DOMAINS + 1))
        largest = max(shards.values())
        at_best = largest * days * len(STREAMS) * LATENCY_MS / 1000 / crew.in_flight
        reading = [one.reading_s for one in found]
        rows.append(
            f"| {crew.workers} | {crew.in_flight} | {largest} | "
            f"{median_of([one.whole_s for one in found])} | {median_of(reading)} | "
            f"{at_best:.1f} s | {one_by_one / statistics.median(reading):.2f} | "
            f"{max(one.most_in_flight for one in found)} |\n"
        )
    counts = sorted({one.requests for found in runs.values() for one in found})
    return (
        f"{DOMAINS} domains, {days} days, streams {' and '.join(STREAMS)}: "
        f"{' or '.join(f'{n:,}' for n in counts)} requests of {LATENCY_MS} ms; as many shards as "
        "workers. Reading is the time from the first request for a domain to the last. The whole "
        "run includes the starts of Dask and Meltano, the tables and the loading. The best "
        "possible reading time is the waiting time of the largest shard.\n\n"
        "| workers | in flight, each | domains of the largest shard | whole run | reading | "
        "best possible | speed-up of reading | most in flight |\n"
        "|---|---|---|---|---|---|---|---|\n" + "".join(rows)
    )
