"""A project that the tests of all engines share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.installation import shared_project
from tests.end_to_end.project import ROOT

if TYPE_CHECKING:
    from tests.end_to_end.project import Project


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with the tap and the target that the engines run."""
    project = shared_project(tmp_path_factory, "shards")
    environments = Path("orchestration", ".envs")
    (project.folder / environments).symlink_to(ROOT / environments)
    return project
