"""Meltano with all taps and targets of the tests, installed once for all workers."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil
import yaml

from tests.end_to_end.project import MELTANO, Project
from tests.processes import clean_environment
from tools import workspace
from tools.locks import locked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

TAPS = tuple(tap.name for tap in workspace.TAPS)
PATIENCE_S = 240.0  # for a slow and busy machine


def installed(folder: Path, loaders: Sequence[Mapping[str, Any]]) -> Project:
    """Return the project in ``folder``; the first worker installs its plugins.

    ``loaders`` are definitions for ``meltano.yml``, in addition to its own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_suffix(".lock")):
        if not (folder / "installed").exists():
            project = _copied(folder, loaders)
            wanted = [*TAPS, *(loader["name"] for loader in loaders)]
            done = project.meltano("install", *wanted, "target-jsonl", "target-postgres")
            if done.code:
                raise RuntimeError(done.stderr[-3000:])
            (folder / "installed").touch()
    return Project(folder, {"MELTANO_AUTO_INSTALL": "false"})


def linked(installation: Project, folder: Path) -> Project:
    """Return another project with the same plugins, and with its own state and history."""
    folder.mkdir()
    for name in ("meltano.yml", "constraints.txt"):
        shutil.copy(installation.folder / name, folder / name)
    for tap in TAPS:
        (folder / tap).symlink_to(installation.folder / tap)
    (folder / ".meltano").mkdir()
    for kind in ("extractors", "loaders"):
        (folder / ".meltano" / kind).symlink_to(installation.folder / ".meltano" / kind)
    return Project(folder, installation.environment)


def _copied(folder: Path, loaders: Sequence[Mapping[str, Any]]) -> Project:
    project = Project.copied_to(folder, {})
    file = folder / "meltano.yml"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    content["plugins"]["loaders"] += [dict(loader) for loader in loaders]
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return project


@dataclass
class Run:
    """A running ``meltano run`` with its child processes."""

    process: psutil.Popen
    log: Path
    tap: str
    target: str

    @property
    def output(self) -> str:
        """Its output so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    @property
    def output_without_target(self) -> str:
        """The output of Meltano and the tap so far."""
        target = f"] {self.target} "
        return "\n".join(line for line in self.output.splitlines() if target not in line)

    def family(self) -> list[psutil.Process]:
        """Return Meltano's child processes, and their children."""
        try:
            children: list[psutil.Process] = self.process.children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        return children

    def member(self, name: str) -> psutil.Process:
        """Return the process of ``tap``, ``target`` or ``meltano``."""
        if name == "meltano":
            return self.process
        command = self.tap if name == "tap" else self.target
        for child in self.family():
            words = child.cmdline()
            if any(word.endswith(f"/{command}") for word in words) and "--discover" not in words:
                return child
        raise AssertionError(self.output[-2000:])

    def ended(self, family: Sequence[psutil.Process], within: float = PATIENCE_S) -> float:
        """Wait until no process of the run is left; return how many seconds that took."""
        began = time.monotonic()
        _, alive = psutil.wait_procs([self.process, *family], timeout=within)
        for process in alive:
            process.kill()
        assert not alive, (alive, self.output[-2000:])
        return time.monotonic() - began


@contextmanager
def started(project: Project, log: Path, *arguments: str, **settings: str) -> Iterator[Run]:
    """Start ``meltano run`` with arguments whose last two are a tap and a target."""
    environment = {**clean_environment(), **project.variables, "PYTHONPATH": "", **settings}
    with log.open("wb") as file:
        process = psutil.Popen(
            [str(MELTANO), "--environment=demo", "run", *arguments],
            cwd=project.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    run = Run(process, log, *arguments[-2:])
    family: list[psutil.Process] = []
    try:
        yield run
    finally:
        family = run.family()
        for member in [process, *family]:
            if member.is_running():
                member.send_signal(signal.SIGKILL)
        process.wait()


def wait_until(condition: Any, run: Run, what: str) -> None:
    """Wait for a condition while a run is alive."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if run.process.poll() is not None or time.monotonic() > deadline:
            sys.stderr.write(run.output[-3000:])
            msg = f"{what}: the run {'ended' if run.process.poll() is not None else 'hangs'}"
            raise AssertionError(msg)
        time.sleep(0.02)
