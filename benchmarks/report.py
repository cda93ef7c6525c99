"""The page of a benchmark: machine, versions, tables and a chart, and the figures as JSON."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from benchmarks import machine
from benchmarks.contest import LONG_S, Case
from benchmarks.environments import CHART, executable, script
from benchmarks.watch import Curve

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Part = Case | Curve | str


def write(folder: Path, name: str, title: str, parts: Sequence[Part], command: str) -> str:
    """Write ``name``.md, .json and .png into ``folder``; return the Markdown.

    ``command`` repeats the measurement.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cases = [part for part in parts if isinstance(part, Case)]
    curves = [part for part in parts if isinstance(part, Curve)]
    versions = [version for case in cases for version in case.versions]
    pieces = [f"# {title}", about(command, versions)]
    pieces += [part if isinstance(part, str) else table_of(part) for part in parts]
    if cases or curves:
        kept = {
            "date": _today(),
            **machine.facts(),
            "versions": all_versions(versions),
            "cases": [as_json(case) for case in cases],
            "curves": [{"label": c.label, "samples": c.samples} for c in curves],
        }
        (folder / f"{name}.json").write_text(json.dumps(kept, ensure_ascii=False) + "\n")
        draw(name, folder)
        pieces.append(f"![{title}]({name}.png)")
    text = "\n\n".join(piece.strip() for piece in pieces if piece) + "\n"
    (folder / f"{name}.md").write_text(text, encoding="utf-8")
    return text


def all_versions(versions: Sequence[str]) -> list[str]:
    """Return our versions and those of the contestants."""
    ours = [f"{package} {version}" for package, version in machine.our_versions().items()]
    return list(dict.fromkeys([*ours, *filter(None, versions)]))


def table_of(part: Case | Curve) -> str:
    """Return the table of a case; a curve has none, since it is only in the chart."""
    return _section(part) if isinstance(part, Case) else ""


def about(command: str, versions: Sequence[str]) -> str:
    """Return the machine, the versions, and the command that repeats the measurement."""
    facts = machine.facts()
    return (
        f"{_today()}; {facts['machine']}; {facts['system']}; Python {facts['python']}.  \n"
        f"{', '.join(all_versions(versions))}.  \n"
        f"To repeat: `{command}`."
    )


def _section(case: Case) -> str:
    head = f"## {case.title}\n\n{_how_often(case)} {case.note}"
    return f"{head.strip()}\n\n{table(case)}"


def _how_often(case: Case) -> str:
    """Return how the figures were measured, as text."""
    counts = {len(figures.runs) for figures in case.figures}
    if counts == {1}:
        return "One run each, of the whole process."
    how = f"Medians (minimum to maximum) of {max(counts)} runs of the whole process, in turn"
    fewer = f"; of {min(counts)} runs where one takes longer than {LONG_S} s"
    return f"{how}{fewer if len(counts) > 1 else ''}."


def table(case: Case) -> str:
    """Return the figures of a case, with a row per contestant."""
    first = case.figures[0]
    heads = ["contestant", "seconds", "rows/s", "CPU s", "MiB"]
    heads += ["ours is faster by a factor of"] if case.is_race else []
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for figures in case.figures:
        cells = [
            figures.label,
            figures.span(),
            f"{case.rows / figures.seconds:,.0f}",
            f"{figures.cpu_s:.2f}",
            f"{figures.peak_mib:.0f}",
        ]
        if case.is_race:
            cells.append("" if figures is first else f"{figures.seconds / first.seconds:.1f}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def as_json(case: Case) -> dict[str, Any]:
    """Return what the results file stores of a case."""
    return {
        "name": case.name,
        "title": case.title,
        "rows": case.rows,
        "figures": [figures.as_json() for figures in case.figures],
    }


def draw(name: str, folder: Path) -> None:
    """Draw the chart ``name``.png from the results in ``name``.json."""
    command = [executable(CHART), script(CHART, "draw.py")]
    results, chart = folder / f"{name}.json", folder / f"{name}.png"
    subprocess.run([*command, str(results), str(chart)], check=True)


def _today() -> str:
    return datetime.now(timezone.utc).date().isoformat()
