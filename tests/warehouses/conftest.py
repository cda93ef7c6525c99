"""One installation of Meltano's plugins for all workers, a project for each."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.warehouses.crashes import Pipeline
from tests.warehouses.plugins import installed, linked
from tests.warehouses.targets import CHEAP

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

    from sandbox.postgres import Postgres

    from tests.end_to_end.project import Project
    from tests.warehouses.accounts import Account

Calm = dict[str, "Counter[str]"]


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with the taps and the cheap targets."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    own = {"target-jsonl", "target-postgres"}
    loaders = [target.definition for target in CHEAP if target.plugin not in own]
    return linked(installed(shared / "plugins", loaders), base / "warehouses")


@pytest.fixture(scope="session")
def calm(project: Project, postgres: Postgres) -> Callable[[type[Account]], Calm]:
    """What the tables hold after an undisturbed run of a tap; each tap is run once."""
    known: dict[type[Account], Calm] = {}

    def tables(kind: type[Account]) -> Calm:
        if kind not in known:
            known[kind] = Pipeline(project, postgres, kind(), "calm").undisturbed()
        return known[kind]

    return tables
