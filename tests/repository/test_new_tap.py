"""A new tap needs only its folder: what make and the tools generate for it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tools.pages.__main__ import main
from tools.pages.dbt_models import MODELS
from tools.pages.generated import files
from tools.pages.project_file import with_tap
from tools.workspace import EXAMPLE, ROOT, TAPS, IncompleteTapError, TapFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PYPROJECT = """
[project]
name = "tap-newcomer"
[project.scripts]
tap-newcomer = "tap_newcomer.tap:NewcomerTap.cli"
[tool.analytics-tap]
label = "Newcomer"
website = "https://newcomer.example"
reads = "ducks"
incremental-by = "day"
"""
# Its schema is made by the SDK: types in lists, no title, a property without a description.
MODULE = '''
from singer_sdk import typing as th
from tap_kit import KitStream, KitTap, Result


class Ducks(KitStream):
    name = "ducks"
    primary_keys = ("id",)
    schema = th.PropertiesList(
        th.Property("id", th.IntegerType, required=True, description="Number of the duck."),
        th.Property("seen", th.DateTimeType, description="When it was seen."),
        th.Property("tags", th.ArrayType(th.StringType)),
    ).to_dict()

    def fetch(self, task):
        return Result(self.checked([]))


class NewcomerTap(KitTap):
    """Reads ducks."""

    name = "tap-newcomer"
    config_jsonschema = th.PropertiesList(
        th.Property("api_token", th.StringType, required=True, secret=True, description="Token"),
    ).to_dict()

    def discover_streams(self):
        return [Ducks(self, self.run)]

    def check_access(self):
        return "It works"
'''
MAKE = shutil.which("make")
NOT_SOURCE = shutil.ignore_patterns("__pycache__", "*.egg-info")
DOCS = ROOT / "docs"


@pytest.fixture
def newcomer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A tap that exists only as a folder."""
    folder = tmp_path / "tap-newcomer"
    (folder / "tap_newcomer").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (folder / "README.md").write_text("# tap-newcomer\n", encoding="utf-8")
    (folder / "tap_newcomer" / "__init__.py").touch()
    (folder / "tap_newcomer" / "tap.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    for name in [name for name in sys.modules if name.startswith("tap_newcomer")]:
        monkeypatch.delitem(sys.modules, name)


def test_makefile_and_workspace_name_no_tap() -> None:
    for name in ("Makefile", "pyproject.toml"):
        text = (ROOT / name).read_text(encoding="utf-8").replace("_", "-")
        assert [tap.name for tap in TAPS if tap.name in text] == []


@pytest.mark.skipif(MAKE is None, reason="make is missing")
def test_make_finds_taps_by_their_folders(tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("tap-kit", "tap-newcomer", "tap-lake-district"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pyproject.toml").touch()
    (tmp_path / "tap-notes").mkdir()

    def commands(target: str) -> str:
        command = [str(MAKE), "--dry-run", "--no-print-directory", target]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout

    assert "for package in tap-kit tap-lake-district tap-newcomer; do" in commands("wheels")
    assert "--package tap-lake-district --package tap-newcomer" in commands("constraints")
    measured = commands("coverage")
    assert "--source=tap_kit,tap_lake_district,tap_newcomer " in measured
    assert "tests/kit tests/lake_district tests/newcomer\n" in measured


def test_every_page_and_plugin_file_has_the_new_tap(newcomer: Path) -> None:
    made = files([*TAPS, newcomer])
    assert "| [tap-newcomer](tap-newcomer/README.md) | ducks | day |" in made[ROOT / "README.md"]
    assert (
        "| `TAP_NEWCOMER_API_TOKEN` | string, secret | **required** | Token |"
        in made[DOCS / "settings.md"]
    )
    assert "| `seen` | date-time, null | When it was seen. |" in made[DOCS / "streams.md"]
    own = made[newcomer / "README.md"]
    assert own.startswith("# tap-newcomer\n\n<!-- settings -->\n| setting")
    assert "<!-- streams -->\n| stream | key" in own
    hub = yaml.safe_load(made[newcomer / "hub.yml"])
    assert (hub["label"], hub["domain_url"]) == ("Newcomer", "https://newcomer.example")
    model = yaml.safe_load(made[MODELS / "newcomer" / "_newcomer__models.yml"])["models"][0]
    assert model["description"] == "The stream ducks; the newest row of each key."
    types = {column["name"]: column["data_type"] for column in model["columns"]}
    assert types == {"id": "bigint", "seen": "timestamptz", "tags": "json"}


def test_project_gets_an_entry_a_job_and_a_schedule_once(newcomer: Path) -> None:
    text = (ROOT / "meltano.yml").read_text("utf-8")
    made = with_tap(text, TapFolder(newcomer))
    before, after = project(text), project(made)
    *others, entry = after["plugins"]["extractors"]
    assert others == before["plugins"]["extractors"]
    assert entry["pip_url"] == "-e ./tap-newcomer -c constraints.txt"
    assert entry["settings"][0]["name"] == "api_token"
    assert entry["select"] == ["*.*"]
    assert after["plugins"]["loaders"] == before["plugins"]["loaders"]
    assert after["jobs"][-1]["tasks"] == ["tap-newcomer target-postgres"]
    assert after["schedules"][-1]["job"] == after["jobs"][-1]["name"]
    assert with_tap(made, TapFolder(newcomer)) == made
    assert [line for line in text.splitlines() if line not in made] == []


def test_lines_written_by_hand_after_the_settings_are_kept(newcomer: Path) -> None:
    made = with_tap((ROOT / "meltano.yml").read_text("utf-8"), TapFolder(newcomer))
    own = "    select:\n    - ducks.id\n    config:\n      window_days: 7\n"
    changed = made.replace("    select:\n    - '*.*'\n  loaders:", f"{own}  loaders:")
    changed = changed.replace("label: Newcomer\n", "label: Old\n")
    assert own in changed
    again = with_tap(changed, TapFolder(newcomer))
    assert own in again
    assert "label: Newcomer\n" in again


def test_the_example_can_be_copied_as_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "development" / "add_a_tap.md").read_text("utf-8")
    (block,) = re.findall(r"^```\n(cp -r examples.*?)^```", page, re.MULTILINE | re.DOTALL)
    shutil.copytree(EXAMPLE, tmp_path / "examples" / EXAMPLE.name, ignore=NOT_SOURCE)
    script = block.replace("pond", "fresh").replace("Pond", "Fresh")
    subprocess.run(["/bin/sh", "-ec", script], cwd=tmp_path, check=True)
    copy = tmp_path / "tap-fresh"
    monkeypatch.syspath_prepend(str(copy))
    made = files([copy])
    assert made[copy / "plugin.yml"]
    sources = [path for path in copy.rglob("*.*") if path.is_file() and path.suffix != ".pyc"]
    assert "tap_example" not in "".join(path.read_text("utf-8") for path in sources)
    assert "](../docs/" in (copy / "README.md").read_text("utf-8")


def without(*texts: str) -> Callable[[str], str]:
    """Return a function that removes texts from another."""

    def removed(whole: str) -> str:
        for text in texts:
            assert text in whole
            whole = whole.replace(text, "")
        return whole

    return removed


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without('label = "Newcomer"\n'), ["[tool.analytics-tap]", 'label = "..."']),
        (
            without(PYPROJECT[PYPROJECT.index("[tool") :]),
            [f'{key} = "..."' for key in ("label", "website", "reads", "incremental-by")],
        ),
        (
            without('[project.scripts]\ntap-newcomer = "tap_newcomer.tap:NewcomerTap.cli"\n'),
            ["has no command", '[project.scripts]\ntap-newcomer = "tap_newcomer.tap:TapClass.cli"'],
        ),
        (
            lambda text: text.replace("NewcomerTap.cli", "TapNewcomer.cli"),
            ["'TapNewcomer'", "Correct it"],
        ),
        (
            lambda text: text.replace("tap_newcomer.tap", "tap_newcomer.taps"),
            ["'tap_newcomer.taps'"],
        ),
    ],
)
def test_error_names_the_missing_lines_and_their_place(
    newcomer: Path,
    change: Callable[[str], str],
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (newcomer / "pyproject.toml").write_text(change(PYPROJECT), encoding="utf-8")
    monkeypatch.setattr("tools.pages.__main__.files", lambda: files([newcomer]))
    with pytest.raises(SystemExit) as ended:
        main()
    message = str(ended.value.code)
    assert message.startswith("make pages: tap-newcomer/pyproject.toml ")
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("    select:\n    - '*.*'\n  loaders:", "  loaders:", "tap-newcomer has no `select`"),
        ("\nschedules:", "\nother:", "no `schedules`"),
    ],
)
def test_incomplete_project_file_is_refused(newcomer: Path, old: str, new: str, words: str) -> None:
    text = (ROOT / "meltano.yml").read_text("utf-8")
    filled = with_tap(text, TapFolder(newcomer)) if "select" in old else text
    assert old in filled
    with pytest.raises(IncompleteTapError, match=words):
        with_tap(filled.replace(old, new), TapFolder(newcomer))


def project(text: str) -> dict[str, Any]:
    """Return the content of ``meltano.yml``."""
    found: dict[str, Any] = yaml.safe_load(text)
    return found
