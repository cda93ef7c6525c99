"""``make demo``: run each tap through Meltano, check the rows that arrived, write a report."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from demo.check import Arrival, check
from demo.figures import figures
from demo.page import write_report
from demo.places import OUTPUT, ROOT, ROWS
from demo.summary import WHERE, findings, verdict, write_rows
from demo.vendors import DEMOS, Days, Settings, Vendor
from demo.warehouse import Warehouse

if TYPE_CHECKING:
    from collections.abc import Sequence

DAYS = 7
LAST_LINES = 20  # of the log of a failed run


def main() -> int:
    """Run the demo; return 0 if all rows of the sandbox arrived."""
    yesterday = datetime.now(timezone.utc).date() - timedelta(days=1)
    days = Days(first_day(yesterday), yesterday)
    print(f"Fakes of the vendors' APIs run on this machine: days {days.first} to {days.last}.")
    vendors = [demo(days) for demo in DEMOS]
    arrivals = [arrival for vendor in vendors if (arrival := load(vendor))]
    write_rows(ROWS, arrivals)
    if len(arrivals) < len(vendors) or not all(arrival.is_good for arrival in arrivals):
        return 1
    show(days, vendors, arrivals)
    return 0


def show(days: Days, vendors: Sequence[Vendor], arrivals: Sequence[Arrival]) -> None:
    """Write the report, and print its main findings."""
    warehouses = {
        v.tap.name: Warehouse(OUTPUT / v.tap.name, v.tap, v.stream_settings) for v in vendors
    }
    found = figures(warehouses)
    write_report(OUTPUT, days, arrivals, found)
    print(findings(found))
    print(WHERE)


def first_day(yesterday: date) -> date:
    """Return the first day of the first demo; later demos start with the same day."""
    kept = OUTPUT / "first_day"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text((yesterday - timedelta(days=DAYS - 1)).isoformat())
    return date.fromisoformat(kept.read_text())


def load(vendor: Vendor) -> Arrival | None:
    """Run one tap into its folder and compare the rows; return None if the run failed."""
    tap, days = vendor.tap, vendor.days
    folder = OUTPUT / tap.name
    folder.mkdir(parents=True, exist_ok=True)
    before = Warehouse(folder, tap, vendor.stream_settings).line_counts()
    prefix = f"{tap.name.upper().replace('-', '_')}_"
    began = time.monotonic()
    with vendor.serving() as served:
        settings = {f"{prefix}{name}": value for name, value in served.items()} | {
            f"{prefix}START_DATE": days.first.isoformat(),
            f"{prefix}END_DATE": days.last.isoformat(),
            "TARGET_JSONL_DESTINATION_PATH": str(folder),
        }
        if not meltano(tap.name, settings, full_refresh=not before):
            return None
        seconds = time.monotonic() - began
        checks = check(vendor, Warehouse(folder, tap, vendor.stream_settings), before)
    log = log_of(tap.name)
    warned = str(log.relative_to(ROOT)) if log.stat().st_size else ""
    arrival = Arrival(tap.name, seconds, checks, warned)
    print(verdict(arrival))
    return arrival


def last_lines(log: str) -> str:
    """Return the end of a log, without the error that Meltano 4.4's plain logging ends with."""
    return "\n".join(log.partition("--- Logging error ---")[0].splitlines()[-LAST_LINES:])


def log_of(tap: str) -> Path:
    """Return the path of the log of Meltano and the tap."""
    return OUTPUT / f"{tap}.log"


def meltano(tap: str, settings: Settings, *, full_refresh: bool) -> bool:
    """Run ``tap`` into JSONL files, and return whether the run succeeded.

    Without files, old bookmarks do not count: the run must be a full refresh.
    """
    command = [
        str(Path(sys.executable).with_name("meltano")),
        "--log-format=plain",
        "--log-level=warning",
        f"--env-file={os.devnull}",  # a demo must not read real credentials
        "--environment=demo",
        "run",
        *(["--full-refresh"] if full_refresh else []),
        tap,
        "target-jsonl",
    ]
    installed = (ROOT / ".meltano" / "extractors" / tap).exists()
    note = "" if installed else "   (installs both first)"
    print(f"\n$ meltano --environment=demo run {tap} target-jsonl{note}", flush=True)
    environment = {**os.environ, **settings, "NO_COLOR": "1"}
    log = log_of(tap)
    with log.open("wb") as file:
        done = subprocess.run(command, cwd=ROOT, env=environment, check=False, stderr=file)
    if done.returncode:
        print(last_lines(log.read_text(encoding="utf-8", errors="replace")))
        print(f"meltano failed with exit code {done.returncode}; log: {log.relative_to(ROOT)}")
    return not done.returncode


if __name__ == "__main__":
    sys.exit(main())
