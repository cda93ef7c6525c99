"""One project, one demo and one proxy for all tests of a worker."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from sandbox.kindmetrics import Kindmetrics
from sandbox.server import running

from tests.end_to_end.installation import shared_project
from tests.end_to_end.project import TOKEN, Done, Project, Rows, rows_of_demo
from tests.end_to_end.proxy import HAS_PROXY, Proxy, proxying
from tests.kindmetrics.site import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def proxy() -> Iterator[Proxy]:
    """A proxy that records every host that the project's processes contact."""
    with proxying() as proxy:
        yield proxy


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, proxy: Proxy) -> Project:
    """A copy of the project; its commands contact hosts through the proxy."""
    project = shared_project(tmp_path_factory, "project")
    environment = {} if HAS_PROXY else proxy.environment
    return replace(project, environment={**project.environment, **environment})


@dataclass(frozen=True)
class FirstDemo:
    """The result of the first demo, and a folder with its files."""

    done: Done
    folder: Path

    @property
    def output(self) -> Path:
        """The folder of its files."""
        return self.folder / "output" / "demo"

    @property
    def first_day(self) -> date:
        """The first day that it read."""
        return date.fromisoformat((self.output / "first_day").read_text())

    @property
    def last_day(self) -> date:
        """The last day that it read: the day before it ran."""
        return self.first_day + timedelta(days=6)

    def rows(self) -> Rows:
        """Return the row counts of every stream, as it prints them."""
        return rows_of_demo(self.folder)


@pytest.fixture(scope="session")
def first_demo(project: Project, tmp_path_factory: pytest.TempPathFactory) -> FirstDemo:
    """The demo, run once for all tests of its results."""
    done = project.demo()
    assert done.code == 0, (done.stdout + done.stderr)[-3000:]
    folder = tmp_path_factory.mktemp("demo")
    for name in ("demo", "output"):
        shutil.copytree(project.folder / name, folder / name)
    return FirstDemo(done, folder)


@pytest.fixture
def api() -> Kindmetrics:
    """An account with two small domains at a fixed time."""
    return Kindmetrics(token=TOKEN, now=NOW, domains=2, visitors_per_day=12, pages_per_day=6)


@pytest.fixture
def settings(api: Kindmetrics, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Settings as environment variables: the sandbox, ten days, a folder."""
    with running(api.app) as server:
        yield {
            "TAP_KINDMETRICS_API_URL": server.url,
            "TAP_KINDMETRICS_API_TOKEN": TOKEN,
            "TAP_KINDMETRICS_START_DATE": "2024-02-01",
            "TAP_KINDMETRICS_END_DATE": "2024-02-10",
            "TARGET_JSONL_DESTINATION_PATH": str(tmp_path),
        }
