"""The report: one HTML file that needs no other, and the charts as PNG beside it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from demo.charts import draw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from demo.check import Arrival
    from demo.figures import Figure
    from demo.vendors import Days

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
)


def write_report(
    folder: Path, days: Days, arrivals: Sequence[Arrival], figures: Sequence[Figure]
) -> Path:
    """Write ``report.html`` and the charts into ``folder``; the page's path."""
    charts = {figure.name: draw(figure, folder) for figure in figures}
    encoded = {name: base64.b64encode(path.read_bytes()).decode() for name, path in charts.items()}
    page = TEMPLATES.get_template("report.html.j2").render(
        first=days.first, last=days.last, arrivals=arrivals, figures=figures, charts=encoded
    )
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
    return path
