"""Draw the chart of a benchmark: bars for its cases, lines for its curves.

The arguments are the JSON file of the results and the PNG file to write. This program has a
separate environment: matplotlib needs numpy, which the SDK imports if it is there, and then every
tap starts more slowly.
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

SAMPLED = ("resident memory, MiB", "open files", "threads")
OURS, OTHERS = "#c8502d", "#8aa0b4"


def main() -> None:
    """Draw all cases and curves of a benchmark, one panel below the other."""
    results = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    panels = [(bars, case, 1.2 + 0.36 * len(case["figures"])) for case in results["cases"]]
    if results["curves"]:
        panels += [(curves, (results["curves"], *what), 2.6) for what in enumerate(SAMPLED, 1)]
    heights = [height for _, _, height in panels]
    figure = Figure(figsize=(9.5, sum(heights)), layout="constrained")
    places = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
    for place, (drawn, what, _) in zip(places, panels, strict=True):
        drawn(place, what)
        place.spines[["top", "right"]].set_visible(False)
    figure.savefig(sys.argv[2], dpi=110)


def curves(panel: Any, what: tuple[list[dict[str, Any]], int, str]) -> None:
    """Draw a line per process, over the percentage of its run time."""
    lines, column, title = what
    for line in lines:
        samples = line["samples"]
        whole = samples[-1][0] or 1.0
        at = [100 * sample[0] / whole for sample in samples]
        panel.plot(at, [sample[column] for sample in samples], label=line["label"])
    panel.set_ylim(bottom=0)
    panel.set_title(title, loc="left", fontsize=10)
    panel.set_xlabel("% of the run time")
    panel.legend(frameon=False, fontsize=8)


def bars(panel: Any, case: dict[str, Any]) -> None:
    """Draw a bar per contestant; ours say so, or are the first."""
    labels = [figures["label"] for figures in case["figures"]]
    each = [figures["seconds"] for figures in case["figures"]]
    medians = [statistics.median(seconds) for seconds in each]
    less = [middle - min(seconds) for middle, seconds in zip(medians, each, strict=True)]
    more = [max(seconds) - middle for middle, seconds in zip(medians, each, strict=True)]
    colours = [OURS if "(ours)" in label else OTHERS for label in labels]
    colours[0] = OURS
    drawn = panel.barh(labels, medians, xerr=[less, more], color=colours, ecolor="#555555")
    panel.bar_label(drawn, [f" {median:.1f} s" for median in medians], padding=4)
    panel.invert_yaxis()
    panel.margins(x=0.12)
    panel.set_title(case["title"], loc="left", fontsize=10)
    panel.set_xlabel("seconds, whole process")


if __name__ == "__main__":
    main()
