"""Each benchmark runs and writes its page; a contestant with missing rows has no figure."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from benchmarks import paged, report, warehouse
from benchmarks.contest import Case, Contestant, Options, contest
from benchmarks.measure import NOWHERE, PIPE, measured
from benchmarks.server import serving
from benchmarks.tables import Content, Contents
from benchmarks.watch import Curve

if TYPE_CHECKING:
    from pathlib import Path

VENDORS = ("kindmetrics", "kissmetrics", "khoros-analytics")
OURS = Options(runs=1, scale=0.004, only=("ours",))


@pytest.mark.parametrize("name", ["records", "latency", "exports"])
def test_own_contestants_of_a_race_have_a_table(name: str) -> None:
    cases = list(import_module(f"benchmarks.{name}").run(OURS))
    assert cases
    for case in cases:
        (figures,) = case.figures
        assert "(ours)" in figures.label
        assert figures.seconds > 0 < figures.peak_mib
        assert report.table(case).splitlines()[2].startswith(f"| {figures.label} | ")


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", ["kindmetrics_backfill", "kissmetrics_reports", "khoros_exports"])
def test_benchmark_of_one_vendor_has_a_table(name: str) -> None:
    page = "\n".join(import_module(f"benchmarks.{name}").run(Options(runs=1, scale=0.1)))
    assert "|---|" in page
    assert page.count("(") > 1  # each figure has a range


@pytest.mark.timeout(240)
def test_raw_export_is_compared_with_a_list() -> None:
    case, *page = import_module("benchmarks.raw_export").run(Options(runs=1, scale=0.004))
    ours, from_list = case.figures
    assert case.rows > 18_000
    assert ours.seconds > 0 < from_list.seconds
    assert [part.count("\n| ") for part in page] == [3, 3]
    assert "Most\nrequests in flight: 8." in page[1]


@pytest.mark.timeout(240)
def test_soak_measures_a_tap() -> None:
    options = Options(runs=1, scale=0.004, only=("khoros",))
    *page, curve = import_module("benchmarks.soak").run(options)
    assert "| tap-khoros-analytics, incoming_post" in page[-1]
    assert isinstance(curve, Curve)
    assert max(sample.mib for sample in curve.samples) > 10
    assert all(sample.threads >= 1 and sample.files >= 1 for sample in curve.samples)


@pytest.mark.timeout(240)
def test_each_tap_is_compared_with_a_stock_tap_of_the_same_stream() -> None:
    """With as many rows; the stock tap is not installed here."""
    cases = list(import_module("benchmarks.taps").run(OURS._replace(rows=20_000)))
    assert [case.name for case in cases] == [f"tap-{name}" for name in VENDORS]
    assert all(case.rows > 10_000 and len(case.figures) == 1 for case in cases)


def test_contestants_that_take_too_long_are_left_out(tmp_path: Path) -> None:
    assert warehouse.too_slow(1_000_000, tmp_path) == {}
    labels = {"fast": [20.0, 29.0, 40.0], "slow": [30.0, 31.0, 32.0]}
    figures = [{"label": label, "seconds": seconds} for label, seconds in labels.items()]
    case = {"name": "postgres_first", "rows": 100_000, "figures": figures}
    page = {"cases": [case, {**case, "name": "postgres_second", "figures": []}]}
    (tmp_path / "warehouse.json").write_text(json.dumps(page))
    assert warehouse.too_slow(1_000_000, tmp_path) == {"slow": 310}
    assert warehouse.too_slow(100_000, tmp_path) == {}


def test_tables_that_differ_are_no_result() -> None:
    contents, first = Contents(), Content.of(["a", "b"], [3, 1, 2])
    contents.compare("first", first)
    contents.compare("equal", Content.of(["a", "b"], [3, 1, 2]))
    for other, text in (
        (Content.of(["a", "b"], [4, 1, 5]), "b"),
        (Content.of(["a", "c"], [3, 1, 2]), "b, c"),
        (Content.of(["a", "b"], [4, 1, 2]), "its rows"),
    ):
        with pytest.raises(RuntimeError, match=f"another table than that of first: {text}$"):
            contents.compare("other", other)


def test_contestant_with_too_few_rows_has_no_figure() -> None:
    with serving("--pages", "1") as url:
        everything = paged.ours(paged.Pages(url, 1))
        for place in ("file", PIPE):
            with pytest.raises(RuntimeError, match=r"got 100\d rows instead of 5000"):
                contest(Case("", "", 5000), [everything], OURS, place=place)


def test_failed_contestant_is_reported_with_its_error() -> None:
    failing = Contestant("broken", lambda _: [sys.executable, "-c", "raise SystemExit('alas')"])
    with pytest.raises(RuntimeError, match="alas"):
        contest(Case("", "", 1), [failing], Options(runs=1))


def test_memory_of_a_command_excludes_that_of_this_process(tmp_path: Path) -> None:
    ballast = bytearray(200 << 20)
    ballast[:: 1 << 12] = b"1" * len(ballast[:: 1 << 12])  # written, so that the memory is resident
    small = measured([sys.executable, "-S", "-c", ""], tmp_path, place=NOWHERE)
    large = measured([sys.executable, "-S", "-c", "b'x' * (64 << 20)"], tmp_path, place=NOWHERE)
    assert len(ballast) > 0
    assert small.peak_mib < 50
    assert large.peak_mib > 64


def test_page_names_machine_versions_and_command(tmp_path: Path) -> None:
    parts = ["Nothing was measured."]
    text = report.write(tmp_path, "trial", "A trial", parts, "make bench ONLY=trial")
    assert text == (tmp_path / "trial.md").read_text("utf-8")
    for part in ("# A trial", " cores, ", "Python 3.", "singer-sdk ", "`make bench ONLY=trial`"):
        assert part in text


@pytest.mark.parametrize(
    ("command", "printed", "status"),
    [
        (warehouse.pipe(["echo", "a b", "$x"], ["cat", "-n"]), "     1\ta b $x\n", 0),
        (warehouse.pipe(["false"], ["cat"]), "", 1),
        (warehouse.then(["echo", "a b"], ["echo", "c"]), "a b\nc\n", 0),
        (warehouse.then(["false"], ["echo", "c"]), "", 1),
    ],
)
def test_two_commands_of_a_load_fail_if_one_does(
    command: list[str], printed: str, status: int
) -> None:
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    assert (done.stdout, done.returncode) == (printed, status)
