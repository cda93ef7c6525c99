"""Projects with taps and targets, for the tests and the command."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.postgres import postgres_running

from tests.warehouses.plugins import installed, linked
from tests.warehouses.targets import TESTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pytest
    from sandbox.postgres import Postgres

    from tests.end_to_end.project import Project
    from tests.warehouses.targets import Target

OWN_LOADERS = {"target-jsonl", "target-postgres"}  # in ``meltano.yml``


def shared_project(tmp_path_factory: pytest.TempPathFactory, name: str) -> Project:
    """Return a project of this worker; its plugins are installed once for all workers."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    return linked(installed(shared / "plugins", definitions(TESTED)), base / name)


@contextmanager
def meltano_and_postgres(targets: Sequence[Target] = ()) -> Iterator[tuple[Project, Postgres]]:
    """Yield a project with the taps and these targets, and a database."""
    with tempfile.TemporaryDirectory() as name, postgres_running() as server:
        plugins = installed(Path(name) / "plugins", definitions(targets))
        yield linked(plugins, Path(name) / "project"), server


def definitions(targets: Sequence[Target]) -> list[dict[str, object]]:
    """Return the loaders that ``meltano.yml`` does not have."""
    return [target.definition for target in targets if target.plugin not in OWN_LOADERS]
