"""Khoros: fourteen concurrent exports that take seconds at the vendor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

from benchmarks.khoros_site import tenant
from benchmarks.runs import catalog, median_of, scratch, seconds, tap_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.contest import Options

JOB_S, IN_FLIGHT, LIMIT_S = 5, 14, 12
EXPORTS = (
    *("author", "combined", "conversation", "conversation_actions", "conversation_history_action"),
    *("incoming_post", "raw_agent_states", "raw_brand_posts", "raw_expert_help", "response"),
    *("response_approval", "team_performance", "team_performance_interval", "user"),
)


def run(options: Options) -> Iterator[str]:
    """Measure with one and with three report types of conversations."""
    rows = ["| measured | median (min to max) | limit |", "|---|---|---|"]
    rows.append(concurrent_exports(["CREATED"], options))
    rows.append(concurrent_exports(["CREATED", "CLOSED", "OPEN_AT_END"], options))
    yield "\n".join(rows)


def concurrent_exports(report_types: list[str], options: Options) -> str:
    """Measure the whole process for one window of each export, with a given catalog."""
    job_s = options.sized(JOB_S)
    with scratch() as name, tenant("--job-seconds", str(job_s)) as settings:
        folder = Path(name)
        settings |= {"max_concurrency": IN_FLIGHT, "conversation_report_types": report_types}
        chosen = catalog("tap-khoros-analytics", settings, folder, *EXPORTS)
        command = [*tap_command("tap-khoros-analytics", settings, folder), *chosen]
        figures = [seconds(command) for _ in range(options.runs)]
        counts = json.load(urlopen(f"{settings['api_url']}/_sandbox/khoros"))  # noqa: S310
    jobs = 13 + len(report_types)
    return (
        f"| 14 exports, {jobs} jobs of {job_s} s each, {counts['most_running']} in flight | "
        f"{median_of(figures)} | under {LIMIT_S} s; {jobs * job_s} s one by one |"
    )
