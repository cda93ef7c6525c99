"""Versions of kit and taps are in step, the changelog has the form of Keep a Changelog."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tools import release
from tools.release import CHANGELOG, HEADING, KIT_NAME, Release
from tools.workspace import package_of

if TYPE_CHECKING:
    from pathlib import Path

KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_versions_of_kit_and_taps_are_in_step() -> None:
    assert list(Release().problems()) == []


def test_changelog_is_in_the_form_of_keep_a_changelog() -> None:
    text = CHANGELOG.read_text("utf-8")
    assert text.startswith("# Changelog\n")
    headings = re.findall(r"^## .*$", text, re.MULTILINE)
    entries = [HEADING.fullmatch(heading) for heading in headings]
    assert entries
    assert None not in entries, headings
    dates = [entry["date"] for entry in entries if entry]
    versions = [entry["version"] for entry in entries if entry]
    assert all(
        date or version == "Unreleased" for date, version in zip(dates, versions, strict=True)
    )
    assert "Unreleased" not in versions[1:]
    assert dates[1:] == sorted(dates[1:], reverse=True)
    for entry in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        kinds = re.findall(r"^### (.*)$", entry, re.MULTILINE)
        assert set(kinds) <= KINDS
        assert len(kinds) == len(set(kinds))


@pytest.fixture
def made(tmp_path: Path) -> Release:
    """A kit and a tap of version 1.2.0, whose changelog has an entry for it."""
    for name, needs in (("tap-kit", "[]"), ("tap-one", f'["{KIT_NAME}>=1.2.0", "requests"]')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pyproject.toml").write_text(
            f'[project]\nname = "{package_of(tmp_path / name)}"\nversion = "1.2.0"\n'
            f"dependencies = {needs}\n"
        )
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## [1.2.0] - 2026-12-01\n\n### Added\n")
    return Release(tmp_path / "tap-kit", [tmp_path / "tap-one"], tmp_path / "CHANGELOG.md")


def change(file: Path, old: str, new: str) -> None:
    """Replace a text that a file contains."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_tag_of_the_version_has_no_problem(made: Release) -> None:
    assert list(made.problems("v1.2.0")) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("tap-one/pyproject.toml", '"1.2.0"', '"1.1.0"', "version of tap-one must be that of"),
        ("tap-one/pyproject.toml", ">=1.2.0", ">=1.1.0", "tap-one must need analytics-tap-kit>="),
        ("tap-one/pyproject.toml", KIT_NAME, "another-kit", "tap-one must need"),
        ("CHANGELOG.md", "[1.2.0] - 2026-12-01", "[Unreleased]", "newest entry of CHANGELOG.md"),
        ("CHANGELOG.md", " - 2026-12-01", "", "newest entry of CHANGELOG.md must be"),
        ("CHANGELOG.md", "[1.2.0]", "[1.1.0]", "newest entry of CHANGELOG.md must be"),
        ("CHANGELOG.md", "## [1.2.0]", "### [1.2.0]", "got 'none'"),
    ],
)
def test_each_problem_is_a_line(made: Release, file: str, old: str, new: str, problem: str) -> None:
    change(made.kit.parent / file, old, new)
    (found,) = made.problems("v1.2.0")
    assert problem in found


def test_tag_of_another_version_is_a_problem(made: Release) -> None:
    (found,) = made.problems("v1.3.0")
    assert found == "tag must be v1.2.0, got v1.3.0: set the versions, or use another tag"


def test_command_prints_the_problems(
    made: Release, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(release, "Release", lambda: made)
    assert release.main("v1.2.0") == 0
    assert release.main("v1.3.0") == 1
    assert capsys.readouterr().err == (
        "tag must be v1.2.0, got v1.3.0: set the versions, or use another tag\n"
    )
