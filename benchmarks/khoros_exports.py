"""Khoros: exports side by side; rows a second and memory for millions of them, JSON and CSV."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.request import urlopen

from sandbox.khoros import Khoros

from benchmarks.runs import median_of, scratch, seconds, tap_command

if TYPE_CHECKING:
    from collections.abc import Iterator

FEW, MANY = 50_000, int(os.environ.get("BENCH_ROWS", "5000000"))
JOB_S, IN_FLIGHT, BAR_S = 5, 14, 12
DAY = {"start_date": "2026-01-10", "end_date": "2026-01-10"}
EXPORT = "incoming_post"  # of 20 columns
EXPORTS = (
    *("author", "combined", "conversation", "conversation_actions", "conversation_history_action"),
    *("incoming_post", "raw_agent_states", "raw_brand_posts", "raw_expert_help", "response"),
    *("response_approval", "team_performance", "team_performance_interval", "user"),
)
# The same work as an idiomatic script does it: read the file, change the names, write the rows.
LOOPS = {
    "json": """
import json, sys
for row in json.load(open(sys.argv[1], encoding="utf-8")):
    record = {name.lower(): value for name, value in row.items()}
    print(json.dumps({"type": "RECORD", "stream": "incoming_post", "record": record}))
""",
    "csv": """
import csv, json, sys
for row in csv.DictReader(open(sys.argv[1], encoding="utf-8", newline="")):
    record = {name.lower().replace(" ", "_"): value or None for name, value in row.items()}
    print(json.dumps({"type": "RECORD", "stream": "incoming_post", "record": record}))
""",
}

# In a small process of its own: a child's largest size begins with that of its parent.
MEASURE = """
import resource, subprocess, sys, time
began = time.perf_counter()
quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
subprocess.run(sys.argv[1:], check=True, **quiet)
print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""


class Measured(NamedTuple):
    """What a process took."""

    seconds: float
    peak_mib: float


@contextmanager
def tenant(*options: str) -> Iterator[dict[str, Any]]:
    """A tenant in a process of its own, so that it takes no time of the tap's; its settings.

    Raises:
        RuntimeError: when it does not start.
    """
    command = [str(Path(sys.executable).with_name("sandbox")), "khoros", *options]
    with subprocess.Popen(
        [*command, "--now", "2026-02-01"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as server:
        address = server.stdout.readline().decode().strip() if server.stdout else ""
        if not address:
            msg = "the sandbox did not start"
            raise RuntimeError(msg)
        try:
            yield {
                "api_url": address,
                "username": "analytics-user",
                "password": "demo-password",
                "company_key": "demo-company",
                "requests_per_minute": 1_000_000,
                "poll_interval_ms": 200,
                **DAY,
            }
        finally:
            server.terminate()


def catalog(settings: dict[str, Any], folder: Path, *streams: str) -> list[str]:
    """The option with the tenant's catalog, with these streams selected."""
    discovered = subprocess.run(
        [*tap_command("tap-khoros-analytics", settings, folder), "--discover"],
        check=True,
        capture_output=True,
    )
    found = json.loads(discovered.stdout)
    for entry in found["streams"]:
        for metadata in entry["metadata"]:
            if not metadata["breadcrumb"]:
                metadata["metadata"]["selected"] = entry["stream"] in streams
    path = folder / f"catalog-{len(streams)}.json"
    path.write_text(json.dumps(found))
    return ["--catalog", str(path)]


def side_by_side(report_types: list[str], rounds: int = 3) -> str:
    """One window of each export: seconds of the whole process, the catalog being there."""
    with scratch() as name, tenant("--job-seconds", str(JOB_S)) as settings:
        folder = Path(name)
        settings |= {"max_concurrency": IN_FLIGHT, "conversation_report_types": report_types}
        chosen = catalog(settings, folder, *EXPORTS)
        command = [*tap_command("tap-khoros-analytics", settings, folder), *chosen]
        figures = [seconds(command) for _ in range(rounds)]
        counts = json.load(urlopen(f"{settings['api_url']}/_sandbox/khoros"))  # noqa: S310
    jobs = 13 + len(report_types)
    return (
        f"| 14 exports, {jobs} jobs of {JOB_S} s each, {counts['most_running']} in flight | "
        f"{median_of(figures)} | under {BAR_S} s; {jobs * JOB_S} s one by one |"
    )


def large(report_format: str) -> Iterator[str]:
    """A row for a large export next to a small one and to a loop over its file."""
    few = one_export(report_format, FEW)
    many = one_export(report_format, MANY)
    growth = 100 * (many.peak_mib / few.peak_mib - 1)
    yield (
        f"| {MANY:,} rows of 20 columns, {report_format} | {MANY / many.seconds:,.0f} rows/s, "
        f"{many.peak_mib:.0f} MiB, {growth:+.0f} % | under 200 MB, within 20 % of {FEW:,} rows "
        f"({few.peak_mib:.0f} MiB) |"
    )
    rows = min(MANY, 500_000)  # the whole list is in memory there
    tap, loop = one_export(report_format, rows), one_loop(report_format, rows)
    name = "json.load" if report_format == "json" else "csv.DictReader"
    yield (
        f"| {rows:,} rows, {report_format}: the tap, keys and download included; "
        f"a {name} loop over a local file | {rows / tap.seconds:,.0f} rows/s, "
        f"{tap.peak_mib:.0f} MiB; {rows / loop.seconds:,.0f} rows/s, {loop.peak_mib:.0f} MiB | "
        f"{loop.seconds / tap.seconds:.1f} times as fast |"
    )


def one_export(report_format: str, rows: int) -> Measured:
    """The tap reading one export of one day."""
    with scratch() as name, tenant("--rows", f"{EXPORT}={rows}") as settings:
        folder = Path(name)
        settings["report_format"] = report_format
        chosen = catalog(settings, folder, EXPORT)
        return measured([*tap_command("tap-khoros-analytics", settings, folder), *chosen])


def one_loop(report_format: str, rows: int) -> Measured:
    """The same rows from a file."""
    data = Khoros(rows_per_day={EXPORT: rows}, now=datetime(2026, 2, 1, tzinfo=timezone.utc)).data
    query = data.query(EXPORT, 1768003200000, 1768089600000, reportFormat=report_format)
    with scratch() as name:
        path = Path(name) / f"export.{report_format}"
        with path.open("wb") as file:
            file.writelines(data.recipe(query)().pieces())
        return measured([sys.executable, "-c", LOOPS[report_format], str(path)])


def measured(command: list[str]) -> Measured:
    """Wall time and largest resident size of a command, its output thrown away."""
    told = subprocess.run(
        [sys.executable, "-c", MEASURE, *command], check=True, stdout=subprocess.PIPE
    ).stdout
    return Measured(*map(float, told.split()))


def main() -> None:
    """Print a row for each."""
    print("| measured | median (min to max), or one run | bar |\n|---|---|---|")
    print(side_by_side(["CREATED"]))
    print(side_by_side(["CREATED", "CLOSED", "OPEN_AT_END"]))
    for report_format in ("json", "csv"):
        for row in large(report_format):
            print(row)


if __name__ == "__main__":
    main()
