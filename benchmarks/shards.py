"""Shards: a backfill of 20 domains and 90 days on 1, 2 and 4 workers, into PostgreSQL.

Dask runs as many shards as there are workers, each through Meltano; all on one machine, whose
cores the workers, the loaders, the database and the sandbox share.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from orchestration.trial import trial
from sandbox.kindmetrics import Kindmetrics
from tap_kit.keys import shard_of

from benchmarks.runs import median_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.contest import Options

DOMAINS, DAYS, FIRST = 20, 90, date(2026, 1, 1)
STREAMS = ("domain_stats", "sources", "goals")
LATENCY_MS, IN_FLIGHT = 100, 4
WORKERS = (1, 2, 4)


class Backfill(NamedTuple):
    """One run: the whole command, and the part of it between the first request and the last."""

    whole_s: float
    reading_s: float
    requests: int
    most_in_flight: int


def run(options: Options) -> Iterator[str]:
    """The backfill with each number of workers."""
    days = max(1, round(DAYS * options.scale))
    api = Kindmetrics(domains=DOMAINS, today=FIRST + timedelta(days=DAYS))
    backfill(api, days, WORKERS[-1])  # Meltano's plugins and the sandbox's answers are there now
    api.app.latency_ms = LATENCY_MS
    runs: dict[int, list[Backfill]] = {workers: [] for workers in WORKERS}
    for _ in range(options.runs):
        for workers in WORKERS:
            runs[workers].append(backfill(api, days, workers))
    yield _table(runs, days)


def backfill(api: Kindmetrics, days: int, workers: int) -> Backfill:
    """The whole of it, into an empty database.

    Raises:
        RuntimeError: a shard failed, or rows are missing.
    """
    with trial(api) as here:
        here.environment.update(
            TAP_KINDMETRICS_START_DATE=f"{FIRST}",
            TAP_KINDMETRICS_END_DATE=f"{FIRST + timedelta(days=days - 1)}",
            TAP_KINDMETRICS_MAX_CONCURRENCY=f"{IN_FLIGHT}",
            TAP_KINDMETRICS__SELECT="[" + ", ".join(f'"{name}.*"' for name in STREAMS) + "]",
            MELTANO_CLI_LOG_LEVEL="warning",
        )
        api.log.clear()
        began = time.perf_counter()
        code = here.engine("dask", f"--shards={workers}", f"--workers={workers}")
        whole_s = time.perf_counter() - began
        if code or here.count("domain_stats") != DOMAINS * days:
            msg = f"{workers} workers: exit code {code}, {here.count('domain_stats')} rows"
            raise RuntimeError(msg)
    asked = [request for request in api.log.requests if request.path.count("/") > 2]
    reading_s = max(r.ended or 0.0 for r in asked) - min(r.started for r in asked)
    return Backfill(whole_s, reading_s, len(asked), api.log.max_in_flight)


def _table(runs: dict[int, list[Backfill]], days: int) -> str:
    rows = []
    for workers, found in runs.items():
        shards = Counter(shard_of([n, "all"], workers) for n in range(1, DOMAINS + 1))
        largest = max(shards.values())
        at_best = largest * days * len(STREAMS) * LATENCY_MS / 1000 / IN_FLIGHT
        reading = [one.reading_s for one in found]
        ratio = statistics.median(one.reading_s for one in runs[1]) / statistics.median(reading)
        rows.append(
            f"| {workers} | {largest} | {median_of([one.whole_s for one in found])} | "
            f"{median_of(reading)} | {at_best:.1f} s | {ratio:.2f} | {DOMAINS / largest:.2f} | "
            f"{max(one.most_in_flight for one in found)} |\n"
        )
    asked = {one.requests for found in runs.values() for one in found}
    return (
        f"{DOMAINS} domains, {days} days, {len(STREAMS)} streams ({', '.join(STREAMS)}): "
        f"{'/'.join(f'{n:,}' for n in sorted(asked))} requests of {LATENCY_MS} ms, {IN_FLIGHT} in "
        "flight a worker, as many shards as workers. Reading is from the first request for a "
        "domain to the last; the whole has the starts of Dask and Meltano and the tables in it.\n\n"
        "| workers | domains of the largest shard | whole | reading | at best | "
        "times as fast, reading | at best | most in flight |\n"
        "|---|---|---|---|---|---|---|---|\n" + "".join(rows)
    )
