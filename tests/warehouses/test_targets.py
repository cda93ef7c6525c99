"""Every stream of one tap into each cheap target; test_crashes.py loads all into PostgreSQL.

``python -m tests.warehouses targets`` runs all targets; docs/targets.md has the results.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.warehouses.accounts import (
    ACCOUNTS,
    KhorosAccount,
    KindmetricsAccount,
    KissmetricsAccount,
)
from tests.warehouses.loads import load_twice
from tests.warehouses.targets import TARGETS, TESTED, Place
from tools.pages.target_page import LOADS, lines, load_line

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.postgres import Postgres

    from tests.end_to_end.project import Project
    from tests.warehouses.accounts import Account
    from tests.warehouses.targets import Target

pytestmark = [pytest.mark.xdist_group("warehouse-targets"), pytest.mark.timeout(900)]
UPSERTING = {"target-postgres", "target-jsonl"}
POSTGRES, JSONL, CSV = TESTED
CELLS = [(POSTGRES, KissmetricsAccount), (JSONL, KhorosAccount), (CSV, KindmetricsAccount)]


@pytest.mark.parametrize(("target", "kind"), CELLS)
def test_two_runs_load_what_the_page_says(
    project: Project, postgres: Postgres, tmp_path: Path, target: Target, kind: type[Account]
) -> None:
    account = kind()
    name = f"{target.plugin}_{account.name}".replace("-", "_")
    place = Place(name, tmp_path, account, postgres)
    first, second = load_twice(project, account, target, place)
    assert first.is_right or target.plugin not in UPSERTING, first
    assert second.is_right == (target.plugin in UPSERTING), second
    line = load_line(target.title, account.name, (first, second))
    assert lines(LOADS)[line[:2]] == line, "run: python -m tests.warehouses targets"


def test_page_has_every_target_with_every_tap() -> None:
    wanted = {(target.title, kind().name) for target in TARGETS for kind in ACCOUNTS}
    assert set(lines(LOADS)) == wanted
