"""A running ``meltano run`` and its processes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil

from tests.end_to_end.project import MELTANO
from tests.processes import clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.end_to_end.project import Project

PATIENCE_S = 240.0  # for a slow and busy machine
LOOKS = 5  # for a process that must be there


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
        # A list of processes can miss one while the clock of the machine is set.
        for _ in range(LOOKS):
            for child in self.family():
                if self.is_member(child, command):
                    return child
            time.sleep(1.0)
        raise AssertionError((self.family(), self.output[-2000:]))

    @staticmethod
    def is_member(process: psutil.Process, command: str) -> bool:
        """Whether a process is a plugin's own, and not its discovery."""
        try:
            words = process.cmdline()
        except psutil.ZombieProcess:
            return False
        return any(word.endswith(f"/{command}") for word in words) and "--discover" not in words

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
