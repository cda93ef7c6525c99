"""The page of a benchmark: what was run on what, a table and a chart for each case, as JSON too."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from benchmarks import machine
from benchmarks.contest import Case

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.contest import Figures


def write(
    folder: Path, name: str, title: str, parts: Sequence[Case | str], versions: Sequence[str]
) -> str:
    """Write ``name``.md, .json and .png into ``folder``; give the Markdown."""
    folder.mkdir(parents=True, exist_ok=True)
    cases = [part for part in parts if isinstance(part, Case)]
    pieces = [f"# {title}", about(f"make bench ONLY={name}", versions)]
    pieces += [part if isinstance(part, str) else _section(part) for part in parts]
    if cases:
        draw(cases, folder / f"{name}.png")
        pieces.append(f"![{title}]({name}.png)")
        kept = {"date": _today(), **machine.facts(), "cases": [as_json(case) for case in cases]}
        (folder / f"{name}.json").write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    text = "\n\n".join(piece.strip() for piece in pieces) + "\n"
    (folder / f"{name}.md").write_text(text, encoding="utf-8")
    return text


def about(command: str, versions: Sequence[str]) -> str:
    """What the figures were taken on, with what, and how they are taken again."""
    facts = machine.facts()
    ours = [f"{package} {version}" for package, version in machine.our_versions().items()]
    told = ", ".join(dict.fromkeys([*ours, *filter(None, versions)]))
    return (
        f"{_today()}; {facts['machine']}; {facts['system']}; Python {facts['python']}.  \n"
        f"{told}.  \n"
        f"Taken again by `{command}`."
    )


def _section(case: Case) -> str:
    runs = len(case.figures[0].runs)
    how = f"Medians of {runs} runs in turn" if runs > 1 else "One run each"
    head = f"## {case.title}\n\n{how} of the whole process, from the least to the most. {case.note}"
    return f"{head.strip()}\n\n{table(case)}"


def table(case: Case) -> str:
    """The figures of a case, a row for each contestant."""
    first = case.figures[0]
    lines = [
        "| who | seconds | records/s | processor s | MiB | ours is faster by |",
        "|---|---|---|---|---|---|",
    ]
    for figures in case.figures:
        times = "" if figures is first else f"{figures.seconds / first.seconds:.1f}"
        lines.append(
            f"| {figures.label} | {figures.span()} | {case.rows / figures.seconds:,.0f} | "
            f"{figures.cpu_s:.2f} | {figures.peak_mib:.0f} | {times} |"
        )
    return "\n".join(lines)


def as_json(case: Case) -> dict[str, Any]:
    """What is kept of a case."""
    return {
        "name": case.name,
        "title": case.title,
        "rows": case.rows,
        "figures": [figures.as_json() for figures in case.figures],
    }


def draw(cases: Sequence[Case], path: Path) -> None:
    """A chart of bars, a panel for each case: median seconds, with the least and the most."""
    from matplotlib.figure import Figure  # noqa: PLC0415  (slow to import, and only needed here)

    heights = [1.1 + 0.36 * len(case.figures) for case in cases]
    figure = Figure(figsize=(9.5, sum(heights)), layout="constrained")
    panels = figure.subplots(len(cases), 1, squeeze=False, height_ratios=heights)[:, 0]
    for case, panel in zip(cases, panels, strict=True):
        _panel(panel, case)
    figure.savefig(path, dpi=110)


def _panel(panel: Any, case: Case) -> None:
    labels = [figures.label for figures in case.figures]
    medians = [figures.seconds for figures in case.figures]
    spread = [_spread(figures) for figures in case.figures]
    colours = ["#c8502d", *["#8aa0b4"] * (len(labels) - 1)]
    bars = panel.barh(
        labels, medians, xerr=list(zip(*spread, strict=True)), color=colours, ecolor="#555555"
    )
    panel.bar_label(bars, [f" {median:.1f} s" for median in medians], padding=4)
    panel.invert_yaxis()
    panel.margins(x=0.12)
    panel.set_title(case.title, loc="left", fontsize=10)
    panel.set_xlabel("seconds, whole process")
    panel.spines[["top", "right"]].set_visible(False)


def _spread(figures: Figures) -> tuple[float, float]:
    each = [run.seconds for run in figures.runs]
    return figures.seconds - min(each), max(each) - figures.seconds


def _today() -> str:
    return datetime.now(timezone.utc).date().isoformat()
