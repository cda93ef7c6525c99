"""``make bench``: all benchmarks, one after the other, into ``benchmarks/results/``."""

from __future__ import annotations

import contextlib
import io
import os
import platform
import sys
from datetime import datetime, timezone
from importlib import import_module, metadata
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
BENCHMARKS = ("kindmetrics_backfill", "kissmetrics_reports", "khoros_exports")


def main() -> int:
    """Run those named on the command line, or all."""
    RESULTS.mkdir(exist_ok=True)
    for name in sys.argv[1:] or BENCHMARKS:
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            import_module(f"benchmarks.{name}").main()
        text = f"{machine()}\n\n{output.getvalue().strip()}\n"
        (RESULTS / f"{name}.md").write_text(text)
        print(text)
    return 0


def machine() -> str:
    """What the figures were taken on."""
    day = datetime.now(timezone.utc).date()
    return (
        f"{day}, Python {platform.python_version()}, singer-sdk {metadata.version('singer-sdk')}, "
        f"{os.cpu_count()} cores, {platform.system()}"
    )


if __name__ == "__main__":
    sys.exit(main())
