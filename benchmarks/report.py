"""The page of a benchmark: what was run on what, a table and a chart for each case, as JSON too."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from benchmarks import machine
from benchmarks.contest import Case
from benchmarks.environments import CHART, executable, script

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def write(
    folder: Path, name: str, title: str, parts: Sequence[Case | str], versions: Sequence[str]
) -> str:
    """Write ``name``.md, .json and .png into ``folder``; give the Markdown."""
    folder.mkdir(parents=True, exist_ok=True)
    cases = [part for part in parts if isinstance(part, Case)]
    pieces = [f"# {title}", about(f"make bench ONLY={name}", versions)]
    pieces += [part if isinstance(part, str) else _section(part) for part in parts]
    if cases:
        kept = {"date": _today(), **machine.facts(), "cases": [as_json(case) for case in cases]}
        (folder / f"{name}.json").write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
        draw(name, folder)
        pieces.append(f"![{title}]({name}.png)")
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


def draw(name: str, folder: Path) -> None:
    """The chart ``name``.png of the results in ``name``.json."""
    command = [executable(CHART), script(CHART, "draw.py")]
    results, chart = folder / f"{name}.json", folder / f"{name}.png"
    subprocess.run([*command, str(results), str(chart)], check=True)


def _today() -> str:
    return datetime.now(timezone.utc).date().isoformat()
