"""A project that the tests of all engines share; its plugins are installed once."""

from __future__ import annotations

import pytest

from tests.end_to_end.project import ROOT, Project


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the project with the tap and the target that the engines run."""
    project = Project.copied_to(tmp_path_factory.mktemp("shards"), {})
    environments = project.folder / "orchestration" / ".envs"
    environments.symlink_to(ROOT / "orchestration" / ".envs")
    done = project.meltano("install", "tap-kindmetrics", "target-postgres")
    assert done.code == 0, done.stderr[-3000:]
    return project
