"""Write the figures in README.md from the results: ``python -m benchmarks.summary``."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
README = Path(__file__).parent.parent / "README.md"
SUMMARY = "summary.md"
BEGIN, END = "<!-- speed -->\n", "<!-- /speed -->"
NOT_YET = "The figures, and how they are measured: [benchmarks/results](benchmarks/results).\n"
SHOWN = ("records", "latency", "exports")
Case = dict[str, Any]


def main() -> None:
    """Write the summary, and the block in README.md if there is one."""
    text = rendered(RESULTS)
    (RESULTS / SUMMARY).write_text(text, encoding="utf-8")
    readme = README.read_text("utf-8")
    if block_of(readme) is not None:
        README.write_text(filled(readme, text), encoding="utf-8")


def rendered(results: Path) -> str:
    """Return the summary of the results in a folder; a link to them while some are missing."""
    files = [results / f"{name}.json" for name in SHOWN]
    if not all(file.exists() for file in files):
        return NOT_YET
    pages = [json.loads(file.read_text("utf-8")) for file in files]
    first, *others = [case for page in pages for case in page["cases"]]
    dates = sorted({page["date"] for page in pages})
    where = f"{pages[0]['machine']}; {pages[0]['system']}; Python {pages[0]['python']}"
    versions = sorted({version for page in pages for version in page["versions"]})
    measured = (
        f"Medians, measured {' to '.join(dates)} by `make bench` on {where}; "
        f"{', '.join(versions)}. All figures: [benchmarks/results](benchmarks/results)."
    )
    head = f"{first['title']} (seconds are those of the whole process):"
    return "\n".join([head, "", *_table(first), "", *_others(others), "", measured, ""])


def block_of(readme: str) -> str | None:
    """Return the text between README's markers; None if there are none."""
    _, begin, rest = readme.partition(BEGIN)
    block, end, _ = rest.partition(END)
    return block if begin and end else None


def filled(readme: str, text: str) -> str:
    """Return README with ``text`` between its markers."""
    before, begin, rest = readme.partition(BEGIN)
    return f"{before}{begin}{text}{END}{rest.partition(END)[2]}"


def _table(case: Case) -> list[str]:
    ours = _seconds(case["figures"][0])
    lines = [
        "| contestant | seconds | records/s | MiB | ours is faster by a factor of |",
        "|---|---|---|---|---|",
    ]
    for figures in case["figures"]:
        seconds = _seconds(figures)
        times = "" if figures is case["figures"][0] else f"{seconds / ours:.1f}"
        lines.append(
            f"| {figures['label']} | {seconds:.1f} | {case['rows'] / seconds:,.0f} | "
            f"{figures['peak_mib']:.0f} | {times} |"
        )
    return lines


def _others(cases: list[Case]) -> list[str]:
    lines = ["| work | ours | others (ours is faster by this factor) |", "|---|---|---|"]
    for case in cases:
        ours, *peers = case["figures"]
        took = _seconds(ours)
        others = [f"{p['label']} {_seconds(p):.1f} s ({_seconds(p) / took:.1f})" for p in peers]
        lines.append(
            f"| {case['title']} | {took:.1f} s, {ours['peak_mib']:.0f} MiB | {'; '.join(others)} |"
        )
    return lines


def _seconds(figures: dict[str, Any]) -> float:
    return float(statistics.median(figures["seconds"]))


if __name__ == "__main__":
    main()
