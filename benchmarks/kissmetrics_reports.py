"""Kissmetrics: reports that take seconds on the vendor's side; memory for lists of two sizes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from sandbox.kissmetrics import Kissmetrics, RunRules, Sizes

from benchmarks.runs import median_of, scratch, seconds, tap_command

REPORTS, RUN_S, IN_FLIGHT, BAR_S = 12, 3, 6, 12
DAY = {"start_date": "2026-01-10", "end_date": "2026-01-10"}
EVENTS = (10_000, 100_000)


def side_by_side(rounds: int = 3) -> str:
    """One window of each report: seconds of the whole process, at the default pace of polling."""
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
        f"{median_of(figures)} | under {BAR_S} s; {ran * RUN_S} s one by one |"
    )


def memory() -> str:
    """The largest resident size of a run that reads so many events in pages of 1,000."""
    peaks = [peak_mib(count) for count in EVENTS]
    growth = 100 * (peaks[1] / peaks[0] - 1)
    return (
        f"| {EVENTS[1]:,} events in pages of 1,000 | {peaks[1]:.1f} MiB, {growth:+.1f} % | "
        f"within 20 % of {EVENTS[0]:,} events ({peaks[0]:.1f} MiB) |"
    )


def peak_mib(events: int) -> float:
    """The largest resident size of one run, all streams but the results.

    Raises:
        RuntimeError: when it fails.
    """
    api = Kissmetrics(sizes=Sizes(events=events, reports=0))
    with api.serving() as at, scratch() as folder:
        settings = {"api_url": at.core, "query_url": at.query, "api_token": api.token, **DAY}
        command = tap_command("tap-kissmetrics", settings, Path(folder))
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        msg = f"the tap ended with {process.returncode}"
        raise RuntimeError(msg)
    return usage.ru_maxrss / 1024


def main() -> None:
    """Print a row for each."""
    print("| measured | median (min to max), or peak | bar |\n|---|---|---|")
    print(side_by_side())
    print(memory())


if __name__ == "__main__":
    main()
