"""The paths of the demo's files."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
OUTPUT = ROOT / "output" / "demo"
REPORT = OUTPUT / "report.html"
ROWS = OUTPUT / "rows.txt"
LIBRARY = Path(sys.prefix) / "charts" / "vega.js"  # draws the charts; see the Makefile
