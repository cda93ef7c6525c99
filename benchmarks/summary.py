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
TAPS, WAREHOUSE = "taps", ("warehouse", "warehouse_1000000")  # shown as soon as they exist
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
    found = {
        name: json.loads(file.read_text("utf-8"))
        for name in (*SHOWN, TAPS, *WAREHOUSE)
        if (file := results / f"{name}.json").exists()
    }
    if not found.keys() >= {*SHOWN}:
        return NOT_YET
    pages = list(found.values())
    first, *others = [case for name in SHOWN for case in found[name]["cases"]]
    dates = sorted({page["date"] for page in pages})
    machines = dict.fromkeys(
        f"{page['machine']}; {page['system']}; Python {page['python']}" for page in pages
    )
    where = ", and on ".join(machines)
    versions = sorted({version for page in pages for version in page["versions"]})
    measured = (
        f"Medians, measured {' to '.join(dates)} by `make bench` on {where}; "
        f"{', '.join(versions)}. All figures: [benchmarks/results](benchmarks/results)."
    )
    head = f"{first['title']} (seconds are those of the whole process):"
    taps = _taps(found[TAPS]["cases"]) if TAPS in found else []
    loads = [
        line for name in WAREHOUSE if name in found for line in _loads(name, found[name]["cases"])
    ]
    lines = [*taps, head, "", *_table(first), "", *_others(others), "", *loads, measured, ""]
    return "\n".join(lines)


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


def _taps(cases: list[Case]) -> list[str]:
    lines = [
        "The taps, each compared with a stock singer-sdk tap of the same stream (whole processes):",
        "",
        "| work | rows/s | singer-sdk tap, rows/s | ours is faster by a factor of | MiB, both |",
        "|---|---|---|---|---|",
    ]
    for case in cases:
        ours, peer = case["figures"]
        took, peer_took, rows = _seconds(ours), _seconds(peer), case["rows"]
        lines.append(
            f"| {case['title']} | {rows / took:,.0f} | {rows / peer_took:,.0f} | "
            f"{peer_took / took:.1f} | {ours['peak_mib']:.0f}, {peer['peak_mib']:.0f} |"
        )
    return [*lines, ""]


def _loads(name: str, cases: list[Case]) -> list[str]:
    first, second, *others = cases
    lines = [
        f"{first['title']}, and a second one that updates all rows:",
        "",
        "| contestant | seconds, first load | seconds, second load | CPU s, first load | MiB |",
        "|---|---|---|---|---|",
    ]
    for load, again in zip(first["figures"], second["figures"], strict=True):
        cpu_s = statistics.median(load["cpu_s"])
        lines.append(
            f"| {load['label']} | {_seconds(load):.1f} | {_seconds(again):.1f} | {cpu_s:.1f} | "
            f"{max(load['peak_mib'], again['peak_mib']):.0f} |"
        )
    chart = f"![{first['title']}](benchmarks/results/{name}.png)"
    return [*lines, "", *_others(others), "", chart, ""]


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
