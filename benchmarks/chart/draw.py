"""A chart of bars, a panel for each case: median seconds, with the least and the most.

The command line: the JSON of the results, and the PNG to write. In an environment of its own: with
matplotlib comes numpy, which the SDK's own imports would find, and every tap would start later.
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

OURS, OTHERS = "#c8502d", "#8aa0b4"


def main() -> None:
    """Draw all cases of a benchmark."""
    cases = json.loads(Path(sys.argv[1]).read_text("utf-8"))["cases"]
    heights = [1.2 + 0.36 * len(case["figures"]) for case in cases]
    figure = Figure(figsize=(9.5, sum(heights)), layout="constrained")
    panels = figure.subplots(len(cases), 1, squeeze=False, height_ratios=heights)[:, 0]
    for case, panel in zip(cases, panels, strict=True):
        bars(panel, case)
    figure.savefig(sys.argv[2], dpi=110)


def bars(panel: Any, case: dict[str, Any]) -> None:
    """A bar for each contestant; the first one is ours."""
    labels = [figures["label"] for figures in case["figures"]]
    each = [figures["seconds"] for figures in case["figures"]]
    medians = [statistics.median(seconds) for seconds in each]
    less = [middle - min(seconds) for middle, seconds in zip(medians, each, strict=True)]
    more = [max(seconds) - middle for middle, seconds in zip(medians, each, strict=True)]
    colours = [OURS, *[OTHERS] * (len(labels) - 1)]
    drawn = panel.barh(labels, medians, xerr=[less, more], color=colours, ecolor="#555555")
    panel.bar_label(drawn, [f" {median:.1f} s" for median in medians], padding=4)
    panel.invert_yaxis()
    panel.margins(x=0.12)
    panel.set_title(case["title"], loc="left", fontsize=10)
    panel.set_xlabel("seconds, whole process")
    panel.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    main()
