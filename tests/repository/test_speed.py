"""The figures in README are those of the stored results."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from benchmarks import summary

if TYPE_CHECKING:
    from pathlib import Path


def test_readme_has_the_figures_of_the_results() -> None:
    found = summary.rendered(summary.RESULTS)
    assert (summary.RESULTS / summary.SUMMARY).read_text("utf-8") == found
    assert summary.block_of(summary.README.read_text("utf-8")) == found, (
        "run: python -m benchmarks.summary"
    )


def test_summary_compares_medians_and_fills_the_block(tmp_path: Path) -> None:
    assert summary.rendered(tmp_path) == summary.NOT_YET
    for name in summary.SHOWN:
        (tmp_path / f"{name}.json").write_text(json.dumps(_page(name)))
    text = summary.rendered(tmp_path)
    assert "| ours | 2.0 | 500 | 60 |  |" in text
    assert "| peer | 20.0 | 50 | 70 | 10.0 |" in text
    assert "| exports work | 2.0 s, 60 MiB | peer 20.0 s (10.0) |" in text
    for name in (summary.TAPS, *summary.WAREHOUSE):
        page = _page(name)
        (tmp_path / f"{name}.json").write_text(json.dumps({**page, "cases": page["cases"] * 2}))
    text = summary.rendered(tmp_path)
    assert text.startswith("The taps, ")
    assert "| taps work | 500 | 50 | 10.0 | 60, 70 |" in text
    assert text.count("| peer | 20.0 | 20.0 | 1.0 | 70 |") == 2
    assert "![warehouse work](benchmarks/results/warehouse.png)" in text
    assert text.count("a machine; a system") == 1
    readme = f"above\n{summary.BEGIN}old\n{summary.END}\nbelow\n"
    assert summary.block_of(summary.filled(readme, text)) == text
    assert summary.filled(readme, text).endswith(f"{summary.END}\nbelow\n")


def _page(name: str) -> dict[str, Any]:
    figures = [
        {"label": "ours", "seconds": [1.0, 2.0, 9.0], "cpu_s": [1.0] * 3, "peak_mib": 60.0},
        {"label": "peer", "seconds": [20.0], "cpu_s": [1.0], "peak_mib": 70.0},
    ]
    return {
        "date": "2026-01-01",
        "machine": "a machine",
        "system": "a system",
        "python": "3.12",
        "versions": ["peer 1"],
        "cases": [{"name": name, "title": f"{name} work", "rows": 1000, "figures": figures}],
        "curves": [],
    }
