"""Write the report: one HTML file that contains the figures and the library that draws them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from demo.charts import chart
from demo.places import LIBRARY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from demo.check import Arrival
    from demo.figures import Figure
    from demo.vendors import Days

FOLDER = Path(__file__).parent
TEMPLATES = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)


def write_report(
    folder: Path, days: Days, arrivals: Sequence[Arrival], figures: Sequence[Figure]
) -> None:
    """Write ``report.html`` into ``folder``."""
    page = TEMPLATES.get_template("report.html.j2").render(
        first=days.first,
        last=days.last,
        arrivals=arrivals,
        figures=figures,
        charts={figure.name: chart(figure) for figure in figures},
        style=(FOLDER / "report.css").read_text("utf-8"),
        script=(FOLDER / "report.js").read_text("utf-8"),
        library=LIBRARY.read_text("utf-8"),
    )
    (folder / "report.html").write_text(page, encoding="utf-8")
