"""Khoros: exports side by side; rows a second and memory for millions of them, JSON and CSV."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

from benchmarks.measure import Measured, measured
from benchmarks.runs import median_of, scratch, seconds, tap_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.contest import Options

FEW, MANY = 50_000, 5_000_000
JOB_S, IN_FLIGHT, BAR_S = 5, 14, 12
DAY = {"start_date": "2026-01-10", "end_date": "2026-01-10"}
EXPORT = "incoming_post"  # of 20 columns
EXPORTS = (
    *("author", "combined", "conversation", "conversation_actions", "conversation_history_action"),
    *("incoming_post", "raw_agent_states", "raw_brand_posts", "raw_expert_help", "response"),
    *("response_approval", "team_performance", "team_performance_interval", "user"),
)


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


def run(options: Options) -> Iterator[str]:
    """A row for each."""
    rows = ["| measured | median (min to max), or one run | bar |", "|---|---|---|"]
    rows.append(side_by_side(["CREATED"], options.runs))
    rows.append(side_by_side(["CREATED", "CLOSED", "OPEN_AT_END"], options.runs))
    rows += [row for report_format in ("json", "csv") for row in large(report_format, options)]
    yield "\n".join(rows)


def side_by_side(report_types: list[str], rounds: int) -> str:
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


def large(report_format: str, options: Options) -> Iterator[str]:
    """A row for a large export next to a small one."""
    few = one_export(report_format, FEW)
    rows = options.sized(MANY)
    many = one_export(report_format, rows)
    growth = 100 * (many.peak_mib / few.peak_mib - 1)
    yield (
        f"| {rows:,} rows of 20 columns, {report_format} | {rows / many.seconds:,.0f} rows/s, "
        f"{many.peak_mib:.0f} MiB, {growth:+.0f} % | under 200 MB, within 20 % of {FEW:,} rows "
        f"({few.peak_mib:.0f} MiB) |"
    )


def one_export(report_format: str, rows: int) -> Measured:
    """The tap reading one export of one day."""
    with scratch() as name, tenant("--rows", f"{EXPORT}={rows}") as settings:
        folder = Path(name)
        settings["report_format"] = report_format
        chosen = catalog(settings, folder, EXPORT)
        return measured([*tap_command("tap-khoros-analytics", settings, folder), *chosen], folder)
