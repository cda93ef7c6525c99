"""Runs that are stopped: which signal, to which process, and how long until the end."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from tests.processes import clean_environment
from tests.warehouses.crashes import TIMEOUT_S, USUAL_BATCH_ROWS, Pipeline
from tests.warehouses.points import POINTS
from tests.warehouses.runs import PATIENCE_S, Run, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.postgres import Postgres

    from tests.end_to_end.project import Project
    from tests.warehouses.accounts import Account
    from tests.warehouses.points import Point

WORK = 3  # the point at which a vendor's job runs, where there are jobs
RUNS_PER_WAY = 5
RESEND_AFTER_S = 8.0  # the signal is sent again then


@dataclass(frozen=True)
class Way:
    """A signal and the processes that get it; ``alone``: the tap runs without Meltano."""

    name: str
    number: signal.Signals
    members: tuple[str, ...] = ()
    alone: bool = False

    def stop(self, run: Run, within: float = PATIENCE_S) -> float:
        """Send the signal; return the seconds until no process of the run is left.

        Raises:
            AssertionError: if a process is left after ``within`` seconds.
        """
        family = run.family()
        began = time.monotonic()
        members = [run.member(name) for name in self.members] or [run.process]
        for member in members:
            member.send_signal(self.number)
        # Meltano passes its signal on to its children; what only the tap got is for the tap alone.
        processes = [run.process, *family] if run.process in members else members
        self._send_again(processes)
        _kill_hung_target(run, processes)
        run.ended(family, within)
        return time.monotonic() - began

    def _send_again(self, processes: Sequence[psutil.Process]) -> None:
        """Send the signal again, as the page advises: a target may lose its handler's exception."""
        _, left = psutil.wait_procs(processes, timeout=RESEND_AFTER_S)
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(self.number)


def _kill_hung_target(run: Run, processes: Sequence[psutil.Process]) -> None:
    """Kill a target that ignores a repeated signal too, as the page advises.

    Its handler writes the rows that it has. A second signal starts the handler again, and its
    threads can wait for each other for ever. Ctrl-C is two, since Meltano passes on its own.
    """
    _, left = psutil.wait_procs(processes, timeout=RESEND_AFTER_S)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            if run.target and run.is_member(process, run.target):
                process.kill()


ALL_MEMBERS = ("meltano", "tap", "target")
CTRL_C = Way("Ctrl-C", signal.SIGINT, ALL_MEMBERS)  # a terminal's goes to the whole group
MELTANO_ALONE = Way("SIGTERM to Meltano", signal.SIGTERM, ("meltano",))
TAP_ALONE = Way("SIGTERM to the tap", signal.SIGTERM, ("tap",))
WAYS = (
    CTRL_C,
    MELTANO_ALONE,
    Way("SIGTERM to all", signal.SIGTERM, ALL_MEMBERS),
    TAP_ALONE,
    Way("Ctrl-C, without Meltano", signal.SIGINT, alone=True),
    Way("SIGTERM, without Meltano", signal.SIGTERM, alone=True),
)


def measure_stops(project: Project, server: Postgres, kind: type[Account], way: Way) -> list[float]:
    """Return how many seconds each of several stops took, sorted."""
    return sorted(_stop_once(project, server, kind, way, number) for number in range(RUNS_PER_WAY))


def _stop_once(
    project: Project, server: Postgres, kind: type[Account], way: Way, number: int
) -> float:
    account, point = kind(), POINTS[kind][WORK]
    with account.serving() as settings:
        if way.alone:
            with held_alone(account, point, settings, project.folder) as run:
                return way.stop(run)
        name = f"stop{WAYS.index(way)}_{number}"
        pipeline = Pipeline(project, server, account, name, USUAL_BATCH_ROWS)
        with pipeline.held(point, settings) as run:
            return way.stop(run)


@contextmanager
def held_alone(
    account: Account, point: Point, settings: dict[str, Any], folder: Path
) -> Iterator[Run]:
    """Run the tap without Meltano and hold it at ``point``; its output goes into a file."""
    config, log = folder / "config.json", folder / "alone.log"
    config.write_text(json.dumps({**settings, "request_timeout": TIMEOUT_S}), encoding="utf-8")
    point.hold(account)
    with log.open("wb") as output, (folder / "alone.jsonl").open("wb") as written:
        process = psutil.Popen(
            [str(Path(sys.executable).with_name(account.name)), "--config", str(config)],
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=output,
        )
    run = Run(process, log, account.name, target="")
    try:
        wait_until(lambda: point.is_reached(account), run, point.name)
        yield run
    finally:
        if process.is_running():
            process.kill()
        process.wait()
