"""``make demo``: run each tap through Meltano, check what arrived, show it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

from sandbox.kindmetrics import Kindmetrics
from sandbox.server import running

from demo.check import Days, check
from demo.show import show
from demo.warehouse import Warehouse

ROOT = Path(__file__).parent.parent
OUTPUT = ROOT / "output" / "demo"
TOKEN = "demo-token"  # noqa: S105
DAYS = 14


def main() -> int:
    """Run the demo; 0 when all that the sandbox has has arrived."""
    now = datetime.now(timezone.utc)
    yesterday = now.date() - timedelta(days=1)
    days = Days(yesterday - timedelta(days=DAYS - 1), yesterday)
    api = Kindmetrics(token=TOKEN, domains=4, now=now.replace(hour=12, minute=0))
    before = Warehouse(OUTPUT).line_counts()
    with running(api.app) as server:
        settings = {
            "TAP_KINDMETRICS_API_URL": server.url,
            "TAP_KINDMETRICS_API_TOKEN": TOKEN,
            "TAP_KINDMETRICS_START_DATE": days.first.isoformat(),
            "TAP_KINDMETRICS_END_DATE": days.last.isoformat(),
        }
        print(f"Sandbox: the Kindmetrics API at {server.url}, {DAYS} days of 4 domains")
        if not meltano("tap-kindmetrics", settings, full_refresh=not before):
            return 1
    warehouse = Warehouse(OUTPUT)
    if not check(api.data, days, warehouse, before):
        return 1
    show(warehouse)
    return 0


def meltano(tap: str, settings: dict[str, str], *, full_refresh: bool) -> bool:
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
    first = "" if (ROOT / ".meltano").exists() else " (the first time, it installs the plugins)"
    print(f"\n$ meltano --environment=demo run {tap} target-jsonl{first}", flush=True)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    result = subprocess.run(command, cwd=ROOT, env={**os.environ, **settings}, check=False)
    if result.returncode:
        print(f"meltano ended with {result.returncode}", file=sys.stderr)
        return False
    print(f"done in {time.monotonic() - began:.1f} s")
    return True


if __name__ == "__main__":
    sys.exit(main())
