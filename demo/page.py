"""Write the report: one self-contained HTML file, and the charts as PNG files beside it."""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from demo.places import CHARTS, ROOT

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
) -> None:
    """Write ``report.html`` and the charts into ``folder``."""
    draw_charts(figures, folder)
    encoded = {figure.name: encoded_png(folder / f"{figure.name}.png") for figure in figures}
    page = TEMPLATES.get_template("report.html.j2").render(
        first=days.first, last=days.last, arrivals=arrivals, figures=figures, charts=encoded
    )
    (folder / "report.html").write_text(page, encoding="utf-8")


def draw_charts(figures: Sequence[Figure], folder: Path) -> None:
    """Draw the charts into ``folder``, in the environment that has matplotlib."""
    described = json.dumps([dataclasses.asdict(figure) for figure in figures])
    # Keep matplotlib's font cache beside the environment and not in the user's home folder.
    environment = {**os.environ, "MPLCONFIGDIR": str(CHARTS / "fonts"), "PYTHONPATH": str(ROOT)}
    command = [str(CHARTS / "bin" / "python"), "-m", "demo.charts", str(folder)]
    subprocess.run(command, input=described, text=True, env=environment, check=True)


def encoded_png(path: Path) -> str:
    """Return a chart in the form in which the page contains it."""
    return base64.b64encode(path.read_bytes()).decode()
