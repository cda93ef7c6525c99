"""Meltano with everything installed that the tests load into, once for all workers."""

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
PATIENCE_S = 240.0  # a slow machine with much other work to do


def installed(folder: Path, loaders: Sequence[Mapping[str, Any]]) -> Project:
    """A project of one's own whose plugins are those of ``folder``, installed by who comes first.

    ``loaders`` are definitions as ``meltano.yml`` has them, in addition to its own.
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
    """Another project with the same plugins, and a state and history of its own."""
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
    """A ``meltano run`` under way, with all that it started."""

    process: psutil.Popen
    log: Path
    tap: str
    target: str

    @property
    def said(self) -> str:
        """What it wrote so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    @property
    def said_without_target(self) -> str:
        """What Meltano and the tap wrote so far."""
        target = f"] {self.target} "
        return "\n".join(line for line in self.said.splitlines() if target not in line)

    def family(self) -> list[psutil.Process]:
        """Meltano's child processes and theirs."""
        try:
            children: list[psutil.Process] = self.process.children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        return children

    def member(self, name: str) -> psutil.Process:
        """The process of ``tap``, ``target`` or ``meltano`` that does the run."""
        if name == "meltano":
            return self.process
        command = self.tap if name == "tap" else self.target
        for child in self.family():
            words = child.cmdline()
            if any(word.endswith(f"/{command}") for word in words) and "--discover" not in words:
                return child
        raise AssertionError(self.said[-2000:])

    def ended(self, family: Sequence[psutil.Process], within: float = PATIENCE_S) -> float:
        """Wait until nothing of it is left; how many seconds that took."""
        began = time.monotonic()
        _, alive = psutil.wait_procs([self.process, *family], timeout=within)
        for process in alive:
            process.kill()
        assert not alive, (alive, self.said[-2000:])
        return time.monotonic() - began


@contextmanager
def begun(project: Project, log: Path, *arguments: str, **settings: str) -> Iterator[Run]:
    """``meltano run`` with these arguments, of which the last two are a tap and a target."""
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


def until(condition: Any, run: Run, what: str) -> None:
    """Wait for a condition while a run is alive."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if run.process.poll() is not None or time.monotonic() > deadline:
            sys.stderr.write(run.said[-3000:])
            msg = f"{what}: the run {'ended' if run.process.poll() is not None else 'hangs'}"
            raise AssertionError(msg)
        time.sleep(0.02)
