"""``make demo``: the first run, and a next run in which rows are missing and a tap fails."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import pytest

from demo.vendors import DEMOS, Days, KhorosDemo, KindmetricsDemo, KissmetricsDemo
from tests.end_to_end.project import ROOT, rows_of_demo
from tests.secrets_of_taps.forms import found_in, found_in_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from demo.vendors import Vendor
    from tests.end_to_end.conftest import FirstDemo
    from tests.end_to_end.project import Done, Project

pytestmark = [pytest.mark.xdist_group("meltano"), pytest.mark.timeout(600)]

SCREEN = 24, 100  # lines and columns


def cut(path: Path, keep: int) -> None:
    """Keep only the first lines of a file."""
    kept = path.read_text(encoding="utf-8").splitlines(keepends=True)[:keep]
    path.write_text("".join(kept), encoding="utf-8")


def test_first_demo_loads_all_rows(first_demo: FirstDemo) -> None:
    assert_demo_complete(first_demo.done)
    for stream, (lines, expected, arrived) in first_demo.rows().items():
        assert lines >= arrived > 0, stream
        assert expected in {arrived, None}, stream


def test_next_demo_loads_new_rows_and_reports_missing_ones_and_errors(
    project: Project, first_demo: FirstDemo
) -> None:
    first = first_demo.rows()
    (file,) = (project.folder / "output" / "demo").rglob("entry_pages.jsonl")
    cut(file, keep=100)
    second = project.demo(TAP_KISSMETRICS_WINDOW_DAYS="0")  # as a user's environment may have
    assert second.code == 1
    new = rows_of_demo(project.folder)
    for stream in ("domain_stats", "pages", "entry_pages", "sources", "referrers", "goals"):
        assert 0 < new[stream][0] < first[stream][0], stream
    wanted = first["entry_pages"][1]
    assert f"The rows differ:\n    entry_pages: {wanted} rows expected, " in second.stdout
    assert second.stdout.count("every row arrived exactly once.") == 1  # those of Khoros
    text = (project.folder / "output" / "demo" / "rows.txt").read_text(encoding="utf-8")
    marked = [line.split()[0] for line in text.splitlines() if "differs" in line]
    assert marked == ["entry_pages"]
    assert_error_explained(second)


def assert_error_explained(done: Done) -> None:
    """Check that a few lines give the reason, without Meltano's traceback."""
    assert "\nwindow_days must be at least 1\n" in done.stdout
    assert "log: output/demo/tap-kissmetrics.log" in done.stdout
    assert "Traceback" not in done.stdout
    assert "What arrived" not in done.stdout


@pytest.mark.parametrize("vendor", DEMOS)
def test_expected_rows_do_not_depend_on_the_time_of_day(
    vendor: Callable[[Days], Vendor],
) -> None:
    """Otherwise a product in a timezone where yesterday is not over gets rows after the check."""
    future = Days(date(2090, 1, 1), date(2090, 1, 2))
    demo = vendor(future)
    assert {stream: bool(demo.expected(stream)) for stream in demo.streams()} == dict.fromkeys(
        demo.streams(), True
    )


def test_output_fits_on_one_screen(first_demo: FirstDemo) -> None:
    lines = first_demo.done.stdout.splitlines()
    assert len(lines) <= SCREEN[0]
    assert [line for line in lines if len(line) > SCREEN[1]] == []


def test_no_credential_is_in_output_or_files(project: Project, first_demo: FirstDemo) -> None:
    """The sandbox's credentials are worthless, but a user's own are handled in the same way."""
    days = Days(date(2024, 2, 1), date(2024, 2, 1))
    secrets = {
        secret
        for vendor in (KindmetricsDemo(days), KissmetricsDemo(days), KhorosDemo(days))
        for secret in secrets_of(vendor)
    }
    assert len(secrets) == 3
    assert found_in(first_demo.done.stdout + first_demo.done.stderr, secrets) == set()
    assert list(project.logs.rglob("*.log"))
    for folder in (first_demo.output, project.logs, project.folder / ".meltano" / "run"):
        assert found_in_files(folder, secrets) == {}
    database = (project.folder / ".meltano" / "meltano.db").read_bytes()
    assert found_in(database.decode("latin-1"), secrets) == set()


def secrets_of(vendor: Vendor) -> set[str]:
    """Return the values of the settings that the tap declares secret, except names of users.

    Half of the demo's name, ``analytics-``, is a part of ordinary words.
    """
    properties = vendor.tap.config_jsonschema["properties"]
    secret = {name for name in properties if properties[name].get("secret")} - {"username"}
    with vendor.serving() as served:
        return {value for name, value in served.items() if name.lower() in secret}


def test_every_command_and_file_in_the_output_exists(first_demo: FirstDemo) -> None:
    printed = first_demo.done.stdout
    for name in ("report.html", "rows.txt", "tap-kissmetrics.log"):
        assert name in printed
        assert (first_demo.output / name).stat().st_size > 0
    for page in re.findall(r"docs/\S+", printed):
        assert (ROOT / page).exists()
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert {"show", "transform", "demo"} <= set(re.findall(r"make ([a-z]+)", printed))
    assert set(re.findall(r"make ([a-z]+)", printed)) <= set(targets)
    notes = (first_demo.output / "tap-kissmetrics.log").read_text(encoding="utf-8")
    assert "whose type the API cannot run" in notes


def assert_demo_complete(done: Done) -> None:
    assert done.code == 0, (done.stdout + done.stderr)[-3000:]
    assert done.stdout.count("every row arrived exactly once.") == 3
    assert "differ:" not in done.stdout
