"""A project, and the tables that undisturbed runs load."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.installation import shared_project
from tests.warehouses.crashes import Pipeline

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

    from sandbox.postgres import Postgres

    from tests.end_to_end.project import Project
    from tests.warehouses.accounts import Account

UndisturbedTables = dict[str, "Counter[str]"]


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with the taps and the targets that the tests run."""
    return shared_project(tmp_path_factory, "warehouses")


@pytest.fixture(scope="session")
def undisturbed(
    project: Project, postgres: Postgres
) -> Callable[[type[Account]], UndisturbedTables]:
    """The content of the tables after an undisturbed run of a tap; each tap runs once."""
    known: dict[type[Account], UndisturbedTables] = {}

    def tables(kind: type[Account]) -> UndisturbedTables:
        if kind not in known:
            known[kind] = Pipeline(project, postgres, kind(), "undisturbed").undisturbed()
        return known[kind]

    return tables
