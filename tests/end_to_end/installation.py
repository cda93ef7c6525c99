"""Meltano's plugins, installed once for all workers, and projects that use them."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from tests.end_to_end.project import Project
from tests.end_to_end.proxy import HAS_PROXY, proxying
from tests.warehouses.targets import TESTED
from tools import workspace
from tools.locks import locked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pytest

    from tests.warehouses.target import Target

TAPS = tuple(tap.name for tap in workspace.TAPS)
OWN_LOADERS = ("target-jsonl", "target-postgres")  # in ``meltano.yml``
HOSTS = "hosts.json"


def shared_project(tmp_path_factory: pytest.TempPathFactory, name: str) -> Project:
    """Return a project of this worker with the taps and the targets that the tests run.

    The first worker that needs the plugins installs them for all workers. ``hosts_of_install``
    returns the hosts that it contacted.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder = shared / "plugins"
    with locked(shared / "plugins.lock"):
        if not (folder / HOSTS).exists():
            with proxying() as proxy:
                environment = {} if HAS_PROXY else proxy.environment
                _install(folder, TESTED, environment)
            (folder / HOSTS).write_text(json.dumps(proxy.hosts), encoding="utf-8")
    return _linked(folder, base / name)


def hosts_of_install(project: Project) -> list[str]:
    """Return the hosts that were contacted when the plugins of a project were installed."""
    plugins = (project.folder / ".meltano" / "extractors").resolve().parents[1]
    hosts: list[str] = json.loads((plugins / HOSTS).read_text(encoding="utf-8"))
    return hosts


@contextmanager
def temporary_project(targets: Sequence[Target] = ()) -> Iterator[Project]:
    """Yield a project with the taps and these targets, which is removed at the end."""
    with tempfile.TemporaryDirectory() as name:
        _install(Path(name) / "plugins", targets, {})
        yield _linked(Path(name) / "plugins", Path(name) / "project")


def _install(folder: Path, targets: Sequence[Target], environment: Mapping[str, str]) -> None:
    """Install all taps, the loaders of ``meltano.yml`` and these targets."""
    folder.mkdir()
    project = Project.copied_to(folder, environment)
    others = [target for target in targets if target.plugin not in OWN_LOADERS]
    file = folder / "meltano.yml"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    content["plugins"]["loaders"] += [dict(target.definition) for target in others]
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    names = dict.fromkeys([*TAPS, *OWN_LOADERS, *(target.definition["name"] for target in others)])
    done = project.meltano("install", *map(str, names))
    if done.code:
        raise RuntimeError(done.stderr[-3000:])


def _linked(plugins: Path, folder: Path) -> Project:
    """Return a copy of the project with these plugins, and with its own state and history."""
    folder.mkdir()
    project = Project.copied_to(folder, {"MELTANO_AUTO_INSTALL": "false"})
    shutil.copy(plugins / "meltano.yml", folder / "meltano.yml")
    (folder / ".meltano").mkdir()
    for kind in ("extractors", "loaders"):
        (folder / ".meltano" / kind).symlink_to(plugins / ".meltano" / kind)
    return project
