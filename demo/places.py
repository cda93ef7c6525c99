"""Where the demo's files are."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parent.parent
OUTPUT = ROOT / "output" / "demo"
REPORT = OUTPUT / "report.html"
ROWS = OUTPUT / "rows.txt"
