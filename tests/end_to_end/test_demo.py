"""``make demo``: the first run, the next one, and that it does notice when rows are missing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.end_to_end.project import Done, Project

pytestmark = [pytest.mark.xdist_group("meltano"), pytest.mark.timeout(300)]


def table(done: Done) -> dict[str, tuple[int, ...]]:
    """The numbers that the demo printed, by stream."""
    rows = re.findall(r"^ *([a-z_]+) +([\d,]+) +([\d,]+) +([\d,]+)", done.stdout, re.MULTILINE)
    return {
        stream: tuple(int(number.replace(",", "")) for number in numbers)
        for stream, *numbers in rows
    }


def cut(path: Path, keep: int) -> None:
    """Leave the first lines of a file only."""
    kept = path.read_text(encoding="utf-8").splitlines(keepends=True)[:keep]
    path.write_text("".join(kept), encoding="utf-8")


def test_the_demo_shows_all_then_what_is_new_and_notices_what_is_missing(project: Project) -> None:
    first = project.demo()
    assert_good(first)
    for stream, (lines, expected, arrived) in table(first).items():
        assert lines >= expected == arrived > 0, stream

    second = project.demo()
    assert_good(second)
    assert table(second).keys() == table(first).keys()
    for stream in ("domain_stats", "pages", "entry_pages", "sources", "referrers", "goals"):
        assert 0 < table(second)[stream][0] < table(first)[stream][0], stream

    (file,) = (project.folder / "output" / "demo").rglob("entry_pages.jsonl")
    cut(file, keep=100)
    third = project.demo()
    assert third.code == 1
    assert "The rows differ." in third.stdout
    assert re.search(r"^ *entry_pages .*differs", third.stdout, re.MULTILINE)
    assert len(re.findall("differs", third.stdout)) == 1


def assert_good(done: Done) -> None:
    assert done.code == 0, (done.stdout + done.stderr)[-3000:]
    assert "Every row is there, once." in done.stdout
    assert "differ" not in done.stdout
    assert table(done)
