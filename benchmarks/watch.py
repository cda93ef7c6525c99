"""Sample processes while they run: memory, open files, threads, CPU time."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psutil
from typing_extensions import Self

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import TracebackType


class Sample(NamedTuple):
    """One sample of a process."""

    at: float  # seconds since its first sample
    mib: float
    files: int
    threads: int


class Curve(NamedTuple):
    """The samples of one process, for the chart."""

    label: str
    samples: list[Sample]


class Watch:
    """Sample the descendants of this process that run one of ``programs``, until the block ends.

    A program is recognized by the name of its executable, or of the script that Python runs.
    """

    def __init__(self, programs: Collection[str], every_s: float) -> None:
        self._programs = programs
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample_all, daemon=True)
        self._cpu_s: dict[str, dict[int, float]] = defaultdict(dict)  # program, process
        self._began: dict[str, float] = {}
        self.samples: dict[str, list[Sample]] = defaultdict(list)

    def __enter__(self) -> Self:
        """Start sampling."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop sampling."""
        self._stop.set()
        self._thread.join()

    def cpu_s(self, program: str) -> float:
        """Return the CPU time of a program in all of its processes, up to the last sample."""
        return sum(self._cpu_s[program].values())

    def _sample_all(self) -> None:
        while not self._stop.wait(self._every_s):
            for process in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
                    self._sample(process)

    def _sample(self, process: psutil.Process) -> None:
        program = self._program_of(process.cmdline())
        if program is None:
            return
        with process.oneshot():
            times, memory = process.cpu_times(), process.memory_info()
            self._cpu_s[program][process.pid] = times.user + times.system
            now = time.monotonic()
            at = now - self._began.setdefault(program, now)
            sample = Sample(at, memory.rss / (1 << 20), process.num_fds(), process.num_threads())
        self.samples[program].append(sample)

    def _program_of(self, command: list[str]) -> str | None:
        # PostgreSQL's processes call themselves "postgres: user database ...".
        names = {Path(part.partition(":")[0]).name for part in command[:2]}
        return next((program for program in self._programs if program in names), None)
