"""The figures that README.md shows, made from the results: ``python -m benchmarks.summary``."""

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
    """Write the summary, and README's block where README has one."""
    text = rendered(RESULTS)
    (RESULTS / SUMMARY).write_text(text, encoding="utf-8")
    readme = README.read_text("utf-8")
    if block_of(readme) is not None:
        README.write_text(filled(readme, text), encoding="utf-8")


def rendered(results: Path) -> str:
    """The summary of the results in a folder; where they are, while some of them are missing."""
    files = [results / f"{name}.json" for name in SHOWN]
    if not all(file.exists() for file in files):
        return NOT_YET
    pages = [json.loads(file.read_text("utf-8")) for file in files]
    first, *others = [case for page in pages for case in page["cases"]]
    dates = sorted({page["date"] for page in pages})
    where = f"{pages[0]['machine']}; {pages[0]['system']}; Python {pages[0]['python']}"
    versions = sorted({version for page in pages for version in page["versions"]})
    taken = (
        f"Medians, taken {' to '.join(dates)} by `make bench` on {where}; {', '.join(versions)}. "
        "All figures: [benchmarks/results](benchmarks/results)."
    )
    head = f"{first['title']} (seconds of the whole process):"
    return "\n".join([head, "", *_table(first), "", *_others(others), "", taken, ""])


def block_of(readme: str) -> str | None:
    """What stands between README's marks; None where there are none."""
    _, begin, rest = readme.partition(BEGIN)
    block, end, _ = rest.partition(END)
    return block if begin and end else None


def filled(readme: str, text: str) -> str:
    """README with ``text`` between its marks."""
    before, begin, rest = readme.partition(BEGIN)
    return f"{before}{begin}{text}{END}{rest.partition(END)[2]}"


def _table(case: Case) -> list[str]:
    ours = _seconds(case["figures"][0])
    lines = ["| who | seconds | records/s | MiB | ours is faster by |", "|---|---|---|---|---|"]
    for figures in case["figures"]:
        seconds = _seconds(figures)
        times = "" if figures is case["figures"][0] else f"{seconds / ours:.1f}"
        lines.append(
            f"| {figures['label']} | {seconds:.1f} | {case['rows'] / seconds:,.0f} | "
            f"{figures['peak_mib']:.0f} | {times} |"
        )
    return lines


def _others(cases: list[Case]) -> list[str]:
    lines = ["| what | ours | others (and how much faster ours is) |", "|---|---|---|"]
    for case in cases:
        ours, *peers = case["figures"]
        took = _seconds(ours)
        told = [f"{p['label']} {_seconds(p):.1f} s ({_seconds(p) / took:.1f})" for p in peers]
        lines.append(
            f"| {case['title']} | {took:.1f} s, {ours['peak_mib']:.0f} MiB | {'; '.join(told)} |"
        )
    return lines


def _seconds(figures: dict[str, Any]) -> float:
    return float(statistics.median(figures["seconds"]))


if __name__ == "__main__":
    main()
