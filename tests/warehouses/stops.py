"""Runs that somebody stops: which signal, sent to whom, and how long it takes to the end."""

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
from tests.warehouses.crashes import TIMEOUT_S, Pipeline
from tests.warehouses.plugins import PATIENCE_S, Run, until
from tests.warehouses.points import POINTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.postgres import Postgres

    from tests.end_to_end.project import Project
    from tests.warehouses.accounts import Account
    from tests.warehouses.points import Point

WORK = 3  # the point at which a vendor's job runs, where there are jobs
TIMES = 5
DEAF_S = 8.0  # a person does it once more then
USUAL_BATCH_ROWS = 10_000  # what the target has unless a user says otherwise


@dataclass(frozen=True)
class Way:
    """A signal and who gets it; ``alone``: the tap runs without Meltano."""

    name: str
    number: signal.Signals
    members: tuple[str, ...] = ()
    alone: bool = False

    def stop(self, run: Run, within: float = PATIENCE_S) -> float:
        """Send it; the seconds until nothing of the run is left.

        Raises:
            AssertionError: something is left after ``within`` seconds.
        """
        family = run.family()
        began = time.monotonic()
        for member in [run.member(name) for name in self.members] or [run.process]:
            member.send_signal(self.number)
        self._send_again([run.process, *family])
        run.ended(family, within)
        return time.monotonic() - began

    def _send_again(self, processes: Sequence[psutil.Process]) -> None:
        """As the page advises: a target loses the exception of its handler now and then."""
        _, left = psutil.wait_procs(processes, timeout=DEAF_S)
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(self.number)


EVERYBODY = ("meltano", "tap", "target")
CTRL_C = Way("Ctrl-C", signal.SIGINT, EVERYBODY)  # a terminal's goes to the whole group
MELTANO_ALONE = Way("SIGTERM to Meltano", signal.SIGTERM, ("meltano",))
TAP_ALONE = Way("SIGTERM to the tap", signal.SIGTERM, ("tap",))
WAYS = (
    CTRL_C,
    MELTANO_ALONE,
    Way("SIGTERM to all", signal.SIGTERM, EVERYBODY),
    TAP_ALONE,
    Way("Ctrl-C, without Meltano", signal.SIGINT, alone=True),
    Way("SIGTERM, without Meltano", signal.SIGTERM, alone=True),
)


def stopped(project: Project, server: Postgres, kind: type[Account], way: Way) -> list[float]:
    """How many seconds it took to the end, each of some times."""
    return sorted(_stopped(project, server, kind, way, turn) for turn in range(TIMES))


def _stopped(project: Project, server: Postgres, kind: type[Account], way: Way, turn: int) -> float:
    account, point = kind(), POINTS[kind][WORK]
    with account.serving() as settings:
        if way.alone:
            with held_alone(account, point, settings, project.folder) as run:
                return way.stop(run)
        name = f"stop{WAYS.index(way)}_{turn}"
        pipeline = Pipeline(project, server, account, name, USUAL_BATCH_ROWS)
        with pipeline.held(point, settings) as run:
            return way.stop(run)


@contextmanager
def held_alone(
    account: Account, point: Point, settings: dict[str, Any], folder: Path
) -> Iterator[Run]:
    """The tap without Meltano, that stands at ``point``; what it writes goes into a file."""
    config, log = folder / "config.json", folder / "alone.log"
    config.write_text(json.dumps({**settings, "request_timeout": TIMEOUT_S}), encoding="utf-8")
    point.hold(account)
    with log.open("wb") as said, (folder / "alone.jsonl").open("wb") as written:
        process = psutil.Popen(
            [str(Path(sys.executable).with_name(account.name)), "--config", str(config)],
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=said,
        )
    run = Run(process, log, account.name, target="")
    try:
        until(lambda: point.is_reached(account), run, point.name)
        yield run
    finally:
        if process.is_running():
            process.kill()
        process.wait()
