"""The charts of the report: a description in Vega-Lite for each table of figures.

The page draws them with the text colours and the background of its mode, light or dark.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from demo.figures import Figure

Spec = dict[str, Any]

# Also for people with red-green colour blindness [M. A. Petroff, arXiv:2107.02270].
PALETTE = ("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70")
STATUS_COLORS = {"OPEN": "#e76300", "CLOSED": "#94a4a2"}
ON_COLOR = "#1f2933"  # text on a bar, which has the same colour in both modes
SHADES = "shades"  # the page replaces it with the range of its mode, from few to many
STRONG = "strong"  # and this with the text colour on a cell of a large figure
NAME_WIDTH = 180  # pixels, for a name beside a bar
HEIGHT = 320
ROW_HEIGHT = 36


def chart(figure: Figure) -> Spec:
    """Return the chart of a table in Vega-Lite, with its figures; the page adds the colours.

    Each value has the fields ``row``, ``column``, ``count``, ``place`` (the number of its column)
    and ``total`` (of its row).
    """
    size = {"width": "container", "autosize": {"type": "fit-x", "contains": "padding"}}
    return {"data": {"values": [*_values(figure)]}, **size, **DRAWN[figure.name](figure)}


def _values(figure: Figure) -> Iterator[Spec]:
    for row, counts, total in zip(figure.rows, figure.cells, figure.totals, strict=True):
        for place, (column, count) in enumerate(zip(figure.columns, counts, strict=True)):
            yield {"row": row, "column": column, "count": count, "place": place, "total": total}


def stacked_days(figure: Figure) -> Spec:
    """Draw a bar per day with a part per column, the largest at the bottom, and the sum on top."""
    axis = {"labelAngle": 0, "labelOverlap": True}
    days = {"field": "row", "type": "ordinal", "sort": figure.rows, "title": None, "axis": axis}
    parts = {
        "mark": "bar",
        "encoding": {
            "x": days,
            "y": {"field": "count", "type": "quantitative", "title": figure.measure},
            "color": _colors(figure, PALETTE, figure.parts),
            "order": {"field": "place", "type": "quantitative"},
            "tooltip": _tooltip(figure.corner, figure.parts, figure.total),
        },
    }
    sums = {
        "mark": {"type": "text", "dy": -8, "tooltip": None},
        "transform": [{"filter": "datum.place === 0"}],
        "encoding": {
            "x": days,
            "y": {"field": "total", "type": "quantitative"},
            "text": {"field": "total", "format": ","},
        },
    }
    return {"height": HEIGHT, "layer": [parts, sums]}


def heat_map(figure: Figure) -> Spec:
    """Draw a cell per row and day with its figure; the colour of a larger one is stronger."""
    most = max(map(max, figure.cells)) or 1
    large = {"test": f"datum.count > {0.6 * most}", "value": STRONG}
    return {
        "height": ROW_HEIGHT * len(figure.rows),
        "encoding": {
            "x": {
                "field": "column",
                "type": "ordinal",
                "sort": figure.columns,
                "title": None,
                "axis": {"labelAngle": 0, "orient": "top", "labelOverlap": True},
            },
            "y": {"field": "row", "type": "ordinal", "sort": figure.rows, **_names()},
        },
        "layer": [
            {
                "mark": "rect",
                "encoding": {
                    "color": {
                        "field": "count",
                        "type": "quantitative",
                        "scale": {"domain": [0, most], "range": SHADES},
                        "legend": None,
                    },
                    "tooltip": _tooltip(figure.corner, "day", figure.total),
                },
            },
            {
                "mark": {"type": "text", "tooltip": None},
                "encoding": {
                    "text": {"field": "count", "format": ","},
                    "color": {"condition": large},
                },
            },
        ],
    }


def bars(figure: Figure) -> Spec:
    """Draw a bar per row with a part per column, and the figure in it where there is room."""
    smallest = max(figure.totals) / 40
    counts: Spec = {"field": "count", "type": "quantitative", "stack": "zero"}
    axis = {**counts, "title": figure.measure, "axis": {"tickCount": 8}}
    order = {"field": "place", "type": "quantitative"}
    colors = [
        STATUS_COLORS.get(name, PALETTE[place % len(PALETTE)])
        for place, name in enumerate(figure.columns)
    ]
    return {
        "height": ROW_HEIGHT * len(figure.rows),
        "encoding": {
            "y": {"field": "row", "type": "ordinal", "sort": figure.rows, **_names()},
            "order": order,
        },
        "layer": [
            {
                "mark": "bar",
                "encoding": {
                    "x": axis,
                    "color": _colors(figure, colors, figure.parts),
                    "tooltip": _tooltip(figure.corner, figure.parts, figure.total),
                },
            },
            {
                "mark": {"type": "text", "color": ON_COLOR, "tooltip": None},
                "transform": [{"filter": f"datum.count >= {smallest}"}],
                "encoding": {
                    "x": {**axis, "bandPosition": 0.5},
                    "detail": {"field": "column"},
                    "text": {"field": "count", "format": ","},
                },
            },
        ],
    }


def _colors(figure: Figure, colors: tuple[str, ...] | list[str], title: str) -> Spec:
    repeated = [colors[place % len(colors)] for place in range(len(figure.columns))]
    scale = {"domain": figure.columns, "range": repeated}
    return {"field": "column", "type": "nominal", "title": title, "scale": scale}


def _names() -> Spec:
    return {"title": None, "axis": {"labelLimit": NAME_WIDTH}}


def _tooltip(row: str, column: str, total: str) -> list[Spec]:
    return [
        {"field": "row", "title": row},
        {"field": "column", "title": column},
        {"field": "count", "title": "number", "format": ","},
        {"field": "total", "title": total, "format": ","},
    ]


DRAWN: dict[str, Callable[[Figure], Spec]] = {
    "visitors_by_day_and_source": stacked_days,
    "people_by_report": heat_map,
    "events_by_day_and_name": stacked_days,
    "conversations_by_status": bars,
}
