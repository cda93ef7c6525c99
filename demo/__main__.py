"""``make demo``: run each tap through Meltano, check what arrived, show it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

from demo.check import check
from demo.show import show
from demo.vendors import Days, KhorosDemo, KindmetricsDemo, KissmetricsDemo, Settings, Vendor
from demo.warehouse import Warehouse

ROOT = Path(__file__).parent.parent
OUTPUT = ROOT / "output" / "demo"
DAYS = 7


def main() -> int:
    """Run the demo; 0 when all that the sandbox has has arrived."""
    yesterday = datetime.now(timezone.utc).date() - timedelta(days=1)
    days = Days(first_day(yesterday), yesterday)
    print(f"The vendors' APIs run on this machine; {days.first} to {days.last}.")
    vendors = [KindmetricsDemo(days), KissmetricsDemo(days), KhorosDemo(days)]
    complete = [brought(vendor) for vendor in vendors]
    if not all(complete):
        return 1
    for vendor in vendors:
        show(vendor.tap.name, Warehouse(OUTPUT / vendor.tap.name, vendor.tap))
    print(
        "\nThe files are in output/demo/. Once more `make demo` reads only what may have changed."
        "\nVersion 3 of Kissmetrics' API on this machine: see tap-kissmetrics/README.md."
    )
    return 0


def first_day(yesterday: date) -> date:
    """The day with which the first demo began; a later one goes on from there."""
    kept = OUTPUT / "first_day"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text((yesterday - timedelta(days=DAYS - 1)).isoformat())
    return date.fromisoformat(kept.read_text())


def brought(vendor: Vendor) -> bool:
    """Run one tap into its folder, and compare."""
    tap, days = vendor.tap, vendor.days
    folder = OUTPUT / tap.name
    folder.mkdir(parents=True, exist_ok=True)
    before = Warehouse(folder, tap).line_counts()
    prefix = f"{tap.name.upper().replace('-', '_')}_"
    with vendor.serving() as served:
        settings = {f"{prefix}{name}": value for name, value in served.items()} | {
            f"{prefix}START_DATE": days.first.isoformat(),
            f"{prefix}END_DATE": days.last.isoformat(),
            "TARGET_JSONL_DESTINATION_PATH": str(folder),
        }
        if not meltano(tap.name, settings, full_refresh=not before):
            return False
        return check(vendor, Warehouse(folder, tap), before)


def meltano(tap: str, settings: Settings, *, full_refresh: bool) -> bool:
    """Run ``tap`` into JSONL files; without files there is nothing to go on from, so all anew."""
    command = [
        str(Path(sys.executable).with_name("meltano")),
        "--log-format=plain",
        "--log-level=warning",
        f"--env-file={os.devnull}",  # real credentials stay out of a demo
        "--environment=demo",
        "run",
        *(["--full-refresh"] if full_refresh else []),
        tap,
        "target-jsonl",
    ]
    installed = (ROOT / ".meltano" / "extractors" / tap).exists()
    note = "" if installed else "   (the first time, it installs them)"
    print(f"\n$ meltano --environment=demo run {tap} target-jsonl{note}", flush=True)
    began = time.monotonic()
    environment = {**os.environ, **settings, "NO_COLOR": "1"}
    result = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    if result.returncode:
        print(f"meltano ended with {result.returncode}", file=sys.stderr)
        return False
    print(f"  done in {time.monotonic() - began:.1f} s")
    return True


if __name__ == "__main__":
    sys.exit(main())
