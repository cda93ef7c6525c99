"""A run that is killed at a point, the run after it, and what the tables hold then."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.warehouses.database import Tables, content, row_count, tables_of
from tests.warehouses.plugins import begun, until

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from sandbox.postgres import Postgres

    from tests.end_to_end.project import Done, Project
    from tests.warehouses.accounts import Account
    from tests.warehouses.plugins import Run
    from tests.warehouses.points import Point

VICTIMS = ("tap", "target", "meltano")
TARGET = "target-postgres"
# The loader writes what it has every few rows: at a usual 10,000 nothing would be in the database
# when a run is killed, and nothing could be doubled.
BATCH_ROWS = 5
TIMEOUT_S = 300  # the request that is held is not to be tried again


@dataclass
class Pipeline:
    """A tap into one schema of a database, with a state of its own."""

    project: Project
    server: Postgres
    account: Account
    name: str
    batch_rows: int = BATCH_ROWS

    @property
    def schema(self) -> str:
        """The schema that the tables are in."""
        return f"{self.name}_{self.account.name}".replace("-", "_").lower()

    def arguments(self, *options: str) -> tuple[str, ...]:
        """The arguments of ``meltano``."""
        return (f"--state-id-suffix={self.schema}", *options, self.account.name, TARGET)

    def variables(self, settings: dict[str, Any]) -> dict[str, str]:
        """The environment of a run."""
        return {
            **self.account.variables({**settings, "request_timeout": TIMEOUT_S}),
            **self.server.target_settings,
            "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": self.schema,
            "TARGET_POSTGRES_BATCH_SIZE_ROWS": str(self.batch_rows),
        }

    def run(self, settings: dict[str, Any], *options: str) -> Done:
        """``meltano run``, to its end."""
        arguments = self.arguments(*options)
        return self.project.meltano("run", *arguments, **self.variables(settings))

    def undisturbed(self) -> dict[str, Counter[str]]:
        """What the tables hold after one whole run."""
        with self.account.serving() as settings:
            done = self.run(settings)
        assert done.code == 0, (done.stdout + done.stderr)[-3000:]
        return self.tables()

    @contextmanager
    def held(self, point: Point, settings: dict[str, Any]) -> Iterator[Run]:
        """A run that stands at ``point``, with what came before it in the database.

        With batches that are larger, the target has it, or is about to.
        """
        log = Path(self.project.folder / f"{self.schema}.log")
        point.hold(self.account)
        with begun(self.project, log, *self.arguments(), **self.variables(settings)) as run:
            until(lambda: self._stands_at(point, run), run, point.name)
            yield run

    def _stands_at(self, point: Point, run: Run) -> bool:
        if not point.is_reached(self.account):
            return False
        if point.rows and self.batch_rows <= point.rows:
            return row_count(self.server, self.schema, point.stream) >= point.rows
        return f"{TARGET} v" in run.said  # what it says when it begins to read

    def tables(self) -> dict[str, Counter[str]]:
        """What the tables hold, without what is another thing each time."""
        return comparable(tables_of(self.server, self.schema), self.account)

    def pass_time(self) -> None:
        """Let the five minutes go by after which a run without a heartbeat counts as over."""
        file = self.project.folder / ".meltano" / "meltano.db"
        with closing(sqlite3.connect(file)) as database, database:
            database.execute(
                "UPDATE runs SET last_heartbeat_at = datetime(last_heartbeat_at, '-6 minutes') "
                "WHERE state = 'RUNNING'"
            )

    def has_state(self) -> bool:
        """Whether Meltano has stored bookmarks of this pipeline."""
        return bool(self._count("SELECT count(*) FROM state WHERE state_id LIKE ?"))

    def is_locked(self) -> bool:
        """Whether Meltano holds a run of this pipeline for one that is still going on."""
        query = "SELECT count(*) FROM runs WHERE state = 'RUNNING' AND job_name LIKE ?"
        return bool(self._count(query))

    def _count(self, query: str) -> int:
        """The answer of Meltano's database; the parameter is this pipeline's end of a state id."""
        file = self.project.folder / ".meltano" / "meltano.db"
        with closing(sqlite3.connect(file)) as database:
            (count,) = database.execute(query, [f"%:{self.schema}"]).fetchone()
        return int(count)


def comparable(tables: Tables, account: Account) -> dict[str, Counter[str]]:
    """Tables as they are compared: two undisturbed runs hold the same."""
    return {
        name: content(rows, account.unlike)
        for name, rows in tables.items()
        if name not in account.passing
    }


@dataclass(frozen=True)
class Outcome:
    """How a kill went: how long the rest took to end, and how often work was started again."""

    ended_s: float
    code: int
    rows_at_kill: int


def killed(pipeline: Pipeline, point: Point, victim: str) -> Outcome:
    """Kill ``victim`` at ``point``, and run again; the second run has to succeed.

    Raises:
        AssertionError: a process is left, or the second run fails.
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
        assert code != 0, run.said[-2000:]
        assert pipeline.is_locked() == (victim == "meltano")
        pipeline.pass_time()
        second = pipeline.run(settings)
        assert second.code == 0, (second.stdout + second.stderr)[-3000:]
    return Outcome(ended, code, rows)
