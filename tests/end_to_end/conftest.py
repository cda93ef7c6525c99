"""One project for all tests: its plugins are installed once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from sandbox.kindmetrics import Kindmetrics
from sandbox.server import running

from tests.end_to_end.project import TOKEN, Project
from tests.end_to_end.proxy import Proxy, proxying
from tests.kindmetrics.site import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OWN_PROXY = any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"))


@pytest.fixture(scope="session")
def proxy() -> Iterator[Proxy]:
    """Notes every host that any process of the project asks for."""
    with proxying() as proxy:
        yield proxy


@pytest.fixture(scope="session")
def installed_from(proxy: Proxy, project: Project) -> list[str]:
    """The hosts that were asked for while the plugins were installed."""
    _ = project
    return list(proxy.hosts)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, proxy: Proxy) -> Project:
    """A copy of the project with the plugins that the tests need."""
    environment = {} if OWN_PROXY else proxy.environment
    project = Project.copied_to(tmp_path_factory.mktemp("project"), environment)
    done = project.meltano("install", "tap-kindmetrics", "target-jsonl")
    assert done.code == 0, done.stderr[-3000:]
    return project


@pytest.fixture
def api() -> Kindmetrics:
    """An account with two small domains at a fixed time."""
    return Kindmetrics(token=TOKEN, now=NOW, domains=2, visitors_per_day=12, pages_per_day=6)


@pytest.fixture
def settings(api: Kindmetrics, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Settings as a user has them in his environment: the sandbox, a few days, a folder."""
    with running(api.app) as server:
        yield {
            "TAP_KINDMETRICS_API_URL": server.url,
            "TAP_KINDMETRICS_API_TOKEN": TOKEN,
            "TAP_KINDMETRICS_START_DATE": "2024-02-01",
            "TAP_KINDMETRICS_END_DATE": "2024-02-10",
            "TARGET_JSONL_DESTINATION_PATH": str(tmp_path),
        }
