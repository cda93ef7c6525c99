"""Every stream of one tap into each cheap target; test_crashes.py loads all into PostgreSQL.

``python -m tests.warehouses targets`` runs all targets; docs/targets.md has the results.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.warehouses import mariadb
from tests.warehouses.accounts import (
    ACCOUNTS,
    KhorosAccount,
    KindmetricsAccount,
    KissmetricsAccount,
)
from tests.warehouses.database import far_user
from tests.warehouses.loads import load_twice
from tests.warehouses.target import Place
from tests.warehouses.targets import TARGETS, TESTED
from tools.pages.target_page import LOADS, lines, load_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.postgres import Postgres

    from tests.end_to_end.project import Project
    from tests.warehouses.accounts import Account
    from tests.warehouses.target import Target

pytestmark = [pytest.mark.xdist_group("warehouse-targets"), pytest.mark.timeout(900)]
UPSERTING = {"target-postgres", "target-jsonl"}
POSTGRES, JSONL, CSV = TESTED
CELLS = [(POSTGRES, KissmetricsAccount), (JSONL, KhorosAccount), (CSV, KindmetricsAccount)]
# A deprecated option, and parts of the SDK for tests and special schemas.
UNDECLARED = ("dialect+driver", "faker_config", "flattening_")


@pytest.mark.parametrize(("target", "kind"), CELLS)
def test_two_runs_load_what_the_page_says(
    project: Project, postgres: Postgres, tmp_path: Path, target: Target, kind: type[Account]
) -> None:
    account = kind()
    name = f"{target.plugin}_{account.name}".replace("-", "_")
    place = Place(name, tmp_path, account, far_user(postgres))
    first, second = load_twice(project, account, target, place)
    assert first.is_right or target.plugin not in UPSERTING, first
    assert second.is_right == (target.plugin in UPSERTING), second
    line = load_line(target.title, account.name, (first, second))
    assert lines(LOADS)[line[:2]] == line, "run: python -m tests.warehouses targets"


def test_meltano_declares_the_options_of_target_postgres(project: Project) -> None:
    """A variable cannot set an option that Meltano does not know."""
    done = project.meltano("invoke", "target-postgres", "--about", "--format=json")
    options = set(_names(json.loads(done.stdout)["settings"]["properties"]))
    content = yaml.safe_load((project.folder / "meltano.yml").read_text(encoding="utf-8"))
    (loader,) = (x for x in content["plugins"]["loaders"] if x["name"] == "target-postgres")
    declared = {setting["name"] for setting in loader["settings"]}
    assert declared <= options
    assert {name for name in options - declared if not name.startswith(UNDECLARED)} == set()


def _names(properties: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the names of settings as Meltano has them: parts of an object follow a full stop."""
    for name, definition in properties.items():
        parts = definition.get("properties") if name != "stream_maps" else None
        yield from _names(parts, f"{name}.") if parts else [prefix + name]


def test_page_has_every_target_with_every_tap() -> None:
    wanted = {(target.title, kind().name) for target in TARGETS for kind in ACCOUNTS}
    assert set(lines(LOADS)) == wanted


def test_six_targets_load_every_stream_right_and_lead_the_table() -> None:
    rows = lines(LOADS).values()
    wrong = {target for target, *_, first, second in rows if {first, second} != {"right"}}
    right = list(dict.fromkeys(target for target, *_ in rows if target not in wrong))
    assert right == [target.title for target in TARGETS[:6]]


def test_missing_mariadb_is_named_with_its_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mariadb, "PLACES", "")
    packages = "apt-get install libmariadb-dev mariadb-client mariadb-server"
    with pytest.raises(mariadb.NoMariadbError, match=packages), mariadb.mariadb_running():
        pass
