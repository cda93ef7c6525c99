"""Kissmetrics' raw data export: rows compared with the same rows from a list, memory, latency."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.kissmetrics.raw import RawExport, RawSizes
from sandbox.kissmetrics.raw.lines import Rates
from sandbox.kissmetrics.raw.s3 import KEY, SECRET, Served, serving
from tap_kissmetrics.schemas import raw

from benchmarks.contest import Case, Contestant, contest, print_progress
from benchmarks.environments import executable, script
from benchmarks.measure import PIPE, Measured, measured
from benchmarks.rows import PAGE_ROWS
from benchmarks.runs import (
    FLIGHTS,
    Span,
    catalog,
    flights_table,
    scratch,
    seconds,
    tap_command,
)
from benchmarks.server import serving as serving_list

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.contest import Options

TAP = "tap-kissmetrics"
FILES, LINES = 20, 25_000  # of each file
LARGE_FILES, LARGE_LINES, SMALL = 50, 100_000, 0.01
LATENCY_MS, STORED_FILES = 100, 200
BUCKET = "exports"
STREAMS = ("raw_events", "raw_properties")
OURS, LIST = "raw data export, tap-kissmetrics (ours)", "the same rows from a list, on the kit"
NOTE = (
    "The export is a folder, with the anomalies of the vendor's files. The list has the rows that "
    "the tap makes of it, in pages of 1,000, and `max_concurrency` is 4 for both. The bar is 60 % "
    "of the rows per second of the list: a factor of at least 0.6."
)
SCHEMA = Path(str(raw.__path__[0])) / "raw_events.json"


def run(options: Options) -> Iterator[Case | str]:
    """Measure rows per second, memory, and files side by side."""
    yield race(options)
    if options.wants("memory"):
        yield memory(options)
    if options.wants("latency"):
        yield latency(options)


def race(options: Options) -> Case:
    """Measure the same rows from an export and from a list."""
    lines = options.sized(LINES, PAGE_ROWS)
    export = RawExport(
        RawSizes(files=FILES, lines=lines, people=5_000, gap_every=0),
        Rates(aliases=0, rejects=0),
    )
    with scratch() as name:
        folder = Path(name)
        export.write(folder / "export")
        settings = {"raw_exports": [{"product": "shop", "url": str(folder / "export")}]}
        chosen = catalog(TAP, settings, folder, *STREAMS)
        tap = [*tap_command(TAP, settings, folder), *chosen]
        count = _write_pages(tap, folder)
        title = f"{count:,} lines in {FILES} files, into a file"
        with serving_list("--bodies", str(folder / "pages")) as url:
            sides = [Contestant(OURS, lambda _: tap), _list_of(url, count)]
            return contest(Case("raw_export", title, count, NOTE), sides, options, warm_ups=sides)


def _write_pages(tap: list[str], folder: Path) -> int:
    """Write the rows of the export as pages of a list; return their number."""
    measured(tap, folder, place="file")
    with (folder / "out").open("rb") as out, (folder / "pages").open("wb") as pages:
        found = (line for line in out if line.startswith(b'{"type":"RECORD"'))
        rows = [json.dumps(json.loads(line)["record"]).encode() for line in found]
        for start in range(0, len(rows), PAGE_ROWS):
            pages.write(b",".join(rows[start : start + PAGE_ROWS]) + b"\n")
    return len(rows)


def _list_of(url: str, count: int) -> Contestant:
    pages = -(-count // PAGE_ROWS)

    def command(folder: Path) -> list[str]:
        config = folder / "config.json"
        settings = {"api_url": f"{url}/{pages}", "schema": str(SCHEMA)}
        config.write_text(json.dumps(settings), encoding="utf-8")
        return [executable("kit"), script("kit", "tap.py"), "--config", str(config)]

    return Contestant(LIST, command)


def memory(options: Options) -> str:
    """Measure the memory of a run over five million lines, and over a hundredth of them."""
    rows = ["| lines | seconds | rows/s | peak MiB |", "|---|---|---|---|"]
    lines = options.sized(LARGE_LINES)
    for part in (SMALL, 1.0):
        count, took = _read_large(max(1, round(LARGE_FILES * part)), lines)
        cells = (f"{count:,}", f"{took.seconds:.0f}", f"{count / took.seconds:,.0f}")
        rows.append(f"| {' | '.join(cells)} | {took.peak_mib:.0f} |")
        print_progress(rows[-1])
    head = f"Files of {lines:,} lines in a folder, written into a pipe with default settings. "
    return f"{head}The bar is 150 MiB.\n\n" + "\n".join(rows)


def _read_large(files: int, lines: int) -> tuple[int, Measured]:
    """Read an export; return the number of its lines and the figures of the run.

    Raises:
        RuntimeError: rows are missing.
    """
    export = RawExport(RawSizes(files=files, lines=lines, people=50_000, gap_every=0))
    with scratch() as name:
        folder = Path(name)
        count = export.write(folder / "export")["lines"]
        settings = {"raw_exports": [{"product": "shop", "url": str(folder / "export")}]}
        took = measured(tap_command(TAP, settings, folder), folder, place=PIPE)
    if (took.lines or 0) < count:
        msg = f"got {took.lines} lines for {count} rows"
        raise RuntimeError(msg)
    return count, took


def latency(options: Options) -> str:
    """Measure a bucket whose requests take 100 ms, with one and with eight files at a time."""
    files = options.sized(STORED_FILES, 40)
    runs: dict[int, list[Span]] = {number: [] for number in FLIGHTS}
    with _stored(files) as (served, settings), scratch() as folder:

        def once(in_flight: int) -> Span:
            served.store.log.clear()
            chosen = {**settings, "max_concurrency": in_flight}
            process = seconds(tap_command(TAP, chosen, Path(folder)))
            seen = list(served.store.log.requests)
            last = max(request.ended or 0.0 for request in seen)
            return Span(process, last - min(request.started for request in seen))

        for _ in range(options.runs):
            for in_flight in FLIGHTS:
                runs[in_flight].append(once(in_flight))
        most = served.store.log.max_in_flight
    return (
        f"{files} files in S3, {LATENCY_MS} ms per request; medians, minimum and maximum. Most\n"
        f"requests in flight: {most}. The bar is a ratio of 6.\n\n{flights_table(runs)}"
    )


@contextmanager
def _stored(files: int) -> Iterator[tuple[Served, dict[str, Any]]]:
    export = RawExport(RawSizes(files=files, lines=20, gap_every=0))
    with serving({BUCKET: export}, latency_ms=LATENCY_MS) as served:
        yield (
            served,
            {
                "raw_exports": [{"product": "shop", "url": f"s3://{BUCKET}"}],
                "aws_endpoint_url": served.url,
                "aws_access_key_id": KEY,
                "aws_secret_access_key": SECRET,
            },
        )
