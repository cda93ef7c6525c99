"""Five million rows through each tap: memory, open files and threads stay flat."""

from __future__ import annotations

import statistics
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.contest import print_progress, scratch
from benchmarks.khoros_site import EXPORT, TAP, tenant
from benchmarks.measure import PIPE, Measured, measured
from benchmarks.runs import catalog, tap_command, vendor
from benchmarks.watch import Curve, Sample, Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from benchmarks.contest import Options

ROWS, SMALL = 5_000_000, 0.01
PAGE = 1_000
EMPTY = 1.25
DOMAINS, LAST_DAY = 20, date(2026, 1, 31)
EVERY_S = 0.25
Settings = dict[str, Any]


@dataclass(frozen=True)
class Soak:
    """A tap and the stream that it reads; ``site(rows)`` serves this number of rows."""

    tap: str
    stream: str
    what: str
    site: Callable[[int], AbstractContextManager[Settings]]


@contextmanager
def kindmetrics(rows: int) -> Iterator[Settings]:
    """Serve lists of 1,000 pages, one per domain and day; more days, since some are empty."""
    days = -(-rows * EMPTY // (PAGE * DOMAINS))
    options = ("--domains", str(DOMAINS), "--pages-per-day", str(PAGE), "--visitors-per-day")
    with vendor("kindmetrics", *options, "3000", "--now", "2026-02-01T12:00:00Z") as address:
        yield {
            "api_url": address,
            "api_token": "demo-token",
            "start_date": (LAST_DAY - timedelta(days=int(days) - 1)).isoformat(),
            "end_date": LAST_DAY.isoformat(),
        }


@contextmanager
def kissmetrics(rows: int) -> Iterator[Settings]:
    """Serve one list in pages of 1,000."""
    with vendor("kissmetrics", "--events", str(rows)) as address:
        yield {"api_url": address, "query_url": address, "api_token": "demo-token"}


@contextmanager
def khoros(rows: int) -> Iterator[Settings]:
    """Serve one export."""
    with tenant("--rows", f"{EXPORT}={rows}", "--exclusive-end") as settings:
        yield settings


SOAKS = (
    Soak("tap-kindmetrics", "pages", f"{DOMAINS} domains, a list of {PAGE:,} per day", kindmetrics),
    Soak("tap-kissmetrics", "events", f"one list in pages of {PAGE:,}", kissmetrics),
    Soak(TAP, EXPORT, "one export, JSON", khoros),
)
COLUMNS = (
    *("tap, stream", "rows", "seconds", "rows/s", "MiB after a tenth, half and all of the time"),
    *("peak MiB", "peak MiB with a hundredth of the rows", "open files", "threads"),
)


def run(options: Options) -> Iterator[str | Curve]:
    """Measure each tap: a table row and a curve, with a sample every quarter of a second."""
    rows, curves = [f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"], []
    for soak in SOAKS:
        if not options.wants(soak.tap):
            continue
        small, _ = one(soak, options.sized(ROWS, PAGE * DOMAINS), SMALL)
        large, samples = one(soak, options.sized(ROWS, PAGE * DOMAINS), 1)
        rows.append(row(soak, large, small, samples))
        curves.append(Curve(soak.tap, samples))
        print_progress(rows[-1])
    yield "Each tap writes into a pipe, with default settings, from the sandbox on this machine."
    yield "\n".join(rows)
    yield from curves


def one(soak: Soak, rows: int, part: float) -> tuple[Measured, list[Sample]]:
    """Read a part of the rows; return the figures of the run and the samples of the tap.

    Raises:
        RuntimeError: rows are missing.
    """
    wanted = max(PAGE * DOMAINS, int(rows * part))
    with scratch() as name, soak.site(wanted) as settings:
        folder = Path(name)
        chosen = catalog(soak.tap, settings, folder, soak.stream)
        with Watch({soak.tap}, EVERY_S) as watch:
            command = [*tap_command(soak.tap, settings, folder), *chosen]
            took = measured(command, folder, place=PIPE)
    if (took.lines or 0) < wanted:
        msg = f"{soak.tap}: got {took.lines} lines for {wanted} rows"
        raise RuntimeError(msg)
    return took, watch.samples[soak.tap]


def row(soak: Soak, large: Measured, small: Measured, samples: list[Sample]) -> str:
    """Return a row of the table."""
    rows = large.lines or 0
    tenth = max(1, len(samples) // 10)
    middle = len(samples) // 2
    parts = (samples[tenth : 2 * tenth], samples[middle : middle + tenth], samples[-tenth:])
    memory = ", ".join(f"{_median(part):.0f}" for part in parts)
    settled = samples[tenth:]
    return (
        f"| {soak.tap}, {soak.stream} ({soak.what}) | {rows:,} | {large.seconds:.0f} | "
        f"{rows / large.seconds:,.0f} | {memory} | {large.peak_mib:.0f} | {small.peak_mib:.0f} | "
        f"{_range([s.files for s in settled])} | {_range([s.threads for s in settled])} |"
    )


def _median(samples: list[Sample]) -> float:
    return statistics.median(sample.mib for sample in samples) if samples else 0.0


def _range(numbers: list[int]) -> str:
    if not numbers:
        return ""
    least, most = min(numbers), max(numbers)
    return str(least) if least == most else f"{least} to {most}"
