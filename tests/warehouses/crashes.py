"""A run that is killed at a point, the next run, and the content of the tables."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.end_to_end.project import variables
from tests.warehouses.database import Tables, content, row_count, tables_of
from tests.warehouses.runs import started, wait_until

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from sandbox.postgres import Postgres

    from tests.end_to_end.project import Done, Project
    from tests.warehouses.accounts import Account
    from tests.warehouses.points import Point
    from tests.warehouses.runs import Run

VICTIMS = ("tap", "target", "meltano")
TARGET = "target-postgres"
# In a run that is killed, the loader writes every few rows. With the usual number, the database
# would be empty then, and no row could be duplicated.
BATCH_ROWS, USUAL_BATCH_ROWS = 5, 10_000
TIMEOUT_S = 300  # the held request must not be retried


@dataclass
class Pipeline:
    """A tap that loads into one schema of a database, with its own state.

    With ``has_batches`` the tap writes batch files, and the target loads them with COPY.
    """

    project: Project
    server: Postgres
    account: Account
    name: str
    batch_rows: int = BATCH_ROWS
    has_batches: bool = False

    @property
    def schema(self) -> str:
        """The schema of the tables."""
        return f"{self.name}_{self.account.name}".replace("-", "_").lower()

    def arguments(self, *options: str) -> tuple[str, ...]:
        """Return the arguments of ``meltano run``."""
        return (f"--state-id-suffix={self.schema}", *options, self.account.name, TARGET)

    def variables(
        self, settings: dict[str, Any], batch_rows: int = USUAL_BATCH_ROWS
    ) -> dict[str, str]:
        """Return the environment of a run."""
        return {
            **self.account.variables({**settings, "request_timeout": TIMEOUT_S}),
            **self.server.target_settings,
            "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": self.schema,
            "TARGET_POSTGRES_BATCH_SIZE_ROWS": str(batch_rows),
            **(self._batch_variables(batch_rows) if self.has_batches else {}),
        }

    @property
    def batch_folder(self) -> Path:
        """The folder of the batch files."""
        return self.project.folder / "batches" / self.schema

    def _batch_variables(self, rows: int) -> dict[str, str]:
        batches = {"storage_root": str(self.batch_folder), "batch_size": rows}
        settings = {f"batch_config_{name}": value for name, value in batches.items()}
        return {**variables(self.account.name, settings), "TARGET_POSTGRES_USE_COPY": "true"}

    def run(self, settings: dict[str, Any], *options: str) -> Done:
        """Run ``meltano run`` to its end."""
        arguments = self.arguments(*options)
        return self.project.meltano("run", *arguments, **self.variables(settings))

    def undisturbed(self) -> dict[str, Counter[str]]:
        """Return the content of the tables after one complete run."""
        with self.account.serving() as settings:
            done = self.run(settings)
        assert done.code == 0, (done.stdout + done.stderr)[-3000:]
        return self.tables()

    @contextmanager
    def held(self, point: Point, settings: dict[str, Any]) -> Iterator[Run]:
        """Start a run and hold it at ``point``, with the rows before it in the database.

        With larger batches, the target has received these rows, or is about to.
        """
        log = Path(self.project.folder / f"{self.schema}.log")
        point.hold(self.account)
        environment = self.variables(settings, self.batch_rows)
        with started(self.project, log, *self.arguments(), **environment) as run:
            wait_until(lambda: self._is_at(point, run), run, point.name)
            yield run

    def _is_at(self, point: Point, run: Run) -> bool:
        if not point.is_reached(self.account):
            return False
        if point.rows and self.batch_rows <= point.rows:
            return row_count(self.server, self.schema, point.stream) >= point.rows
        return f"{TARGET} v" in run.output  # its first log line, before it reads

    def tables(self) -> dict[str, Counter[str]]:
        """Return the content of the tables, without what differs in each run."""
        return comparable(tables_of(self.server, self.schema), self.account)

    def has_state(self) -> bool:
        """Whether Meltano has stored bookmarks of this pipeline."""
        return bool(self._count("SELECT count(*) FROM state WHERE state_id LIKE ?"))

    def is_locked(self) -> bool:
        """Whether Meltano considers a run of this pipeline as still running."""
        query = "SELECT count(*) FROM runs WHERE state = 'RUNNING' AND job_name LIKE ?"
        return bool(self._count(query))

    def _count(self, query: str) -> int:
        """Return a count from Meltano's database; the parameter matches this pipeline's states."""
        file = self.project.folder / ".meltano" / "meltano.db"
        with closing(sqlite3.connect(file)) as database:
            (count,) = database.execute(query, [f"%:{self.schema}"]).fetchone()
        return int(count)


def comparable(tables: Tables, account: Account) -> dict[str, Counter[str]]:
    """Return tables in the form in which those of two undisturbed runs are equal."""
    return {
        name: content(rows, account.varying)
        for name, rows in tables.items()
        if name not in account.snapshots
    }


@dataclass(frozen=True)
class Outcome:
    """The result of a kill: how long the other processes took to end, exit code and loaded rows."""

    ended_s: float
    code: int
    rows_at_kill: int


def kill_and_rerun(pipeline: Pipeline, point: Point, victim: str) -> Outcome:
    """Kill ``victim`` at ``point``, and run again; the second run must succeed.

    Raises:
        AssertionError: if a process is left, or the second run fails.
    """
    account = pipeline.account
    with account.serving() as settings:
        with pipeline.held(point, settings) as run:
            family = run.family()
            run.member(victim).kill()
            ended = run.ended(family)
            code = run.process.returncode
        rows = sum(len(rows) for rows in tables_of(pipeline.server, pipeline.schema).values())
        point.release(account)
        assert code != 0, run.output[-2000:]
        assert pipeline.is_locked() == (victim == "meltano")
        second = pipeline.run(settings, *_unlocked(pipeline, settings))
        assert second.code == 0, (second.stdout + second.stderr)[-3000:]
    return Outcome(ended, code, rows)


def _unlocked(pipeline: Pipeline, settings: dict[str, Any]) -> tuple[str, ...]:
    """Return the options of the next run; without them, Meltano must refuse a locked pipeline."""
    if not pipeline.is_locked():
        return ()
    refused = pipeline.run(settings)
    assert refused.code == 1
    assert "pipeline is already running" in refused.stderr
    return ("--force",)
