"""One installation of Meltano's plugins for all workers, a project for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.warehouses.crashes import Pipeline
from tests.warehouses.projects import shared_project

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
    return shared_project(tmp_path_factory, "warehouses")


@pytest.fixture(scope="session")
def calm(project: Project, postgres: Postgres) -> Callable[[type[Account]], Calm]:
    """What the tables hold after an undisturbed run of a tap; each tap is run once."""
    known: dict[type[Account], Calm] = {}

    def tables(kind: type[Account]) -> Calm:
        if kind not in known:
            known[kind] = Pipeline(project, postgres, kind(), "calm").undisturbed()
        return known[kind]

    return tables
