"""Draw each table of figures as a PNG, without a display.

This is a separate program with its own environment. It reads the figures as JSON from standard
input. Its argument is the folder for the charts.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from matplotlib.font_manager import fontManager

from demo.figures import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOTS_PER_INCH = 160
INK, FAINT = "#1f2933", "#d9dee3"
# Also for people with red-green colour blindness [M. A. Petroff, arXiv:2107.02270].
PALETTE = ("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70")
STATUS_COLORS = {"OPEN": "#e76300", "CLOSED": "#94a4a2"}
# Names can be in any script. The other installed fonts supply the characters that the first lacks.
FONTS = ("DejaVu Sans", "Noto Sans CJK JP", "Hiragino Sans", "Yu Gothic", "WenQuanYi Micro Hei")


def draw(figure: Figure, folder: Path) -> None:
    """Draw the chart of a table into ``folder``."""
    installed = set(fontManager.get_font_names())
    style: dict[Any, Any] = {
        "font.family": [font for font in FONTS if font in installed],
        "font.size": 10,
        "text.parse_math": False,  # a name with two dollar signs is not a formula
        "text.color": INK,
        "axes.labelcolor": INK,
        "xtick.color": INK,
        "ytick.color": INK,
    }
    with mpl.rc_context(style), warnings.catch_warnings():
        # A character that no font has is drawn as a box. The page contains the full name.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        canvas = Canvas(figsize=(10, 4.2), layout="constrained", facecolor="white")
        FigureCanvasAgg(canvas)
        axes = canvas.add_subplot()
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
        DRAWN[figure.name](axes, figure)
        axes.set_title(figure.title, loc="left", pad=12)
        canvas.savefig(folder / f"{figure.name}.png", dpi=DOTS_PER_INCH)


def stacked_days(axes: Axes, figure: Figure) -> None:
    """Draw a bar per day with a part per column, the largest at the bottom, and the sum on top."""
    below = [0] * len(figure.rows)
    for column, name in enumerate(figure.columns):
        heights = [row[column] for row in figure.cells]
        color = PALETTE[column % len(PALETTE)]
        axes.bar(
            figure.rows, heights, 0.66, below, color=color, edgecolor="white", lw=0.8, label=name
        )
        below = [low + height for low, height in zip(below, heights, strict=True)]
    for day, total in enumerate(figure.totals):
        axes.annotate(f"{total:,}", (day, total), (0, 4), textcoords="offset points", ha="center")
    axes.set_ylabel(figure.measure)
    axes.set_axisbelow(True)
    axes.grid(axis="y", color=FAINT, lw=0.8)
    handles, names = axes.get_legend_handles_labels()
    axes.legend(
        handles[::-1],
        names[::-1],
        title=figure.parts,
        alignment="left",
        loc="center left",
        bbox_to_anchor=(1.01, 0.5),
        frameon=False,
    )


def heat_map(axes: Axes, figure: Figure) -> None:
    """Draw a cell per row and day with its figure; larger ones are darker; sums at the right."""
    most = max(map(max, figure.cells)) or 1
    axes.imshow(figure.cells, cmap="Blues", vmin=0, vmax=most * 1.15, aspect="auto")
    for y, row in enumerate(figure.cells):
        for x, count in enumerate(row):
            color = "white" if count > 0.65 * most else INK
            axes.text(x, y, f"{count:,}", ha="center", va="center", color=color)
        axes.text(len(row), y, f"{figure.totals[y]:,}", ha="center", va="center", weight="bold")
    columns = [*figure.columns, figure.total.replace(" ", "\n")]
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(figure.rows)), figure.rows)
    axes.set_xticks([n - 0.5 for n in range(len(figure.columns) + 1)], minor=True)
    axes.set_yticks([n - 0.5 for n in range(len(figure.rows) + 1)], minor=True)
    axes.grid(which="minor", color="white", lw=2)
    axes.tick_params(which="both", length=0)


def bars(axes: Axes, figure: Figure) -> None:
    """Draw a bar per row with a part per column, and the figure in it."""
    names = figure.rows[::-1]
    left = [0] * len(names)
    for column, name in enumerate(figure.columns):
        widths = [row[column] for row in figure.cells[::-1]]
        color = STATUS_COLORS.get(name, PALETTE[column % len(PALETTE)])
        pieces = axes.barh(
            names, widths, 0.6, left, color=color, edgecolor="white", lw=0.8, label=name
        )
        smallest = max(figure.totals) / 40  # the smallest part that has room for its figure
        labels = [f"{width:,}" if width >= smallest else "" for width in widths]
        axes.bar_label(pieces, labels, label_type="center", color=INK)
        left = [low + width for low, width in zip(left, widths, strict=True)]
    axes.set_xlabel("conversations")
    axes.set_axisbelow(True)
    axes.grid(axis="x", color=FAINT, lw=0.8)
    axes.legend(loc="lower right", ncols=len(figure.columns), frameon=False)


DRAWN = {
    "visitors_by_day_and_source": stacked_days,
    "people_by_report": heat_map,
    "events_by_day_and_name": stacked_days,
    "conversations_by_status": bars,
}


if __name__ == "__main__":
    for described in json.load(sys.stdin):
        draw(Figure(**described), Path(sys.argv[1]))
