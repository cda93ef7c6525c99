"""The tables that loaders fill: count their rows, compare them, and time PostgreSQL itself."""

from __future__ import annotations

import contextlib
import statistics
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import duckdb
import psutil
import psycopg
from psycopg import sql

from benchmarks.contest import Contestant
from benchmarks.khoros_site import EXPORT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from sandbox.postgres import Postgres

    Command = Callable[[Path, str], Sequence[str]]

# Columns that only some loaders add: keys, the window of the export, and their own.
ADDED = ("row_id", "window_start", "window_end")
COLUMNS_OF = "SELECT column_name FROM information_schema.columns WHERE table_schema = {} AND "
COLUMNS_OF += "table_name = {} ORDER BY column_name"


class Loader(NamedTuple):
    """A way to load the export; ``command(folder, schema)`` loads it into the schema."""

    label: str
    command: Command
    version: Callable[[], str] = str


class Content(NamedTuple):
    """A sum over the hashes of a table's rows, and one over those of each column's values.

    They are of the columns that all loaders have. An empty text and null are equal.
    """

    rows: int
    columns: dict[str, int]

    @classmethod
    def of(cls, columns: Iterable[str], sums: Sequence[object]) -> Content:
        """Return the content of these sums, of which the first is that of the rows."""
        rows, *others = (int(str(one or 0)) for one in sums)
        return cls(rows, dict(zip(columns, others, strict=True)))


@dataclass
class Contents:
    """The content of the first table, with which each other one is compared."""

    first: tuple[str, Content] | None = None

    def compare(self, label: str, content: Content) -> None:
        """Compare the table of a contestant with the first one.

        Raises:
            RuntimeError: if they differ.
        """
        if self.first is None:
            self.first = label, content
        other, expected = self.first
        if content != expected:
            names = sorted(dict(content.columns.items() ^ expected.columns.items()))
            msg = f"{label}: another table than that of {other}: {', '.join(names) or 'its rows'}"
            raise RuntimeError(msg)


@dataclass
class Database:
    """The server that all load into, and the processor time that it spent for each of them."""

    postgres: Postgres
    contents: Contents = field(default_factory=Contents)
    cpu_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    _before: float = 0.0

    def contestant(self, loader: Loader, schema: str, *, is_first: bool) -> Contestant:
        """Return a loader whose rows are counted in its schema; the first load creates it."""

        def command(folder: Path) -> Sequence[str]:
            if is_first:
                self._drop(schema)
            self._before = self._spent_s()
            return loader.command(folder, schema)

        def count(_: Path) -> int:
            self.cpu_s[loader.label].append(self._spent_s() - self._before)
            with psycopg.connect(self.postgres.url) as connection:
                self.contents.compare(loader.label, content(connection, schema))
                return rows(connection, schema)

        return Contestant(loader.label, command, loader.version, count)

    def table(self) -> str:
        """Return a table of the server's processor time, and start a new one."""
        lines = ["| contestant | PostgreSQL's CPU s |", "|---|---|"]
        for label, figures in self.cpu_s.items():
            lines.append(f"| {label} | {statistics.median(figures):.2f} |")
        self.cpu_s.clear()
        return "\n".join(lines)

    def _drop(self, schema: str) -> None:
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            for name in (schema, f"{schema}_staging"):  # dlt's place for rows to merge
                statement = "DROP SCHEMA IF EXISTS {} CASCADE"
                connection.execute(sql.SQL(statement).format(sql.Identifier(name)))

    def _spent_s(self) -> float:
        """Return the processor time of the server, with that of all processes that have ended."""
        while True:
            with contextlib.suppress(psutil.NoSuchProcess):  # one has just ended: sample again
                return self._sampled_s()

    def _sampled_s(self) -> float:
        server = next(
            process
            for process in psutil.Process().children(recursive=True)
            if process.name() == "postgres" and f"{self.postgres.port}" in process.cmdline()
        )
        times = [process.cpu_times() for process in (server, *server.children(recursive=True))]
        ended = times[0].children_user + times[0].children_system
        return float(ended + sum(one.user + one.system for one in times))


def rows(connection: psycopg.Connection, schema: str) -> int:
    """Return the number of rows of a table in PostgreSQL."""
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, EXPORT))
    found = connection.execute(query).fetchone()
    return int(found[0]) if found else 0


def content(connection: psycopg.Connection, schema: str) -> Content:
    """Return the content of a table in PostgreSQL."""
    query = sql.SQL(COLUMNS_OF).format(sql.Literal(schema), sql.Literal(EXPORT))
    columns = shared(name for (name,) in connection.execute(query))
    texts = [sql.SQL("coalesce({}::text, '')").format(sql.Identifier(name)) for name in columns]
    row = sql.SQL("concat_ws(chr(31), {})").format(sql.SQL(", ").join(texts))
    sums = [sql.SQL("sum(hashtextextended({}, 0))").format(text) for text in (row, *texts)]
    statement = sql.SQL("SELECT {} FROM {}")
    query = statement.format(sql.SQL(", ").join(sums), sql.Identifier(schema, EXPORT))
    return Content.of(columns, connection.execute(query).fetchone() or ())


def duckdb_content(folder: Path) -> tuple[int, Content]:
    """Return the number of rows of the table in a folder's DuckDB file, and its content."""
    with duckdb.connect(folder / "warehouse.duckdb", read_only=True) as db:
        ((schema,),) = db.execute(
            "SELECT table_schema FROM information_schema.tables "
            "WHERE table_name = ? AND NOT ends_with(table_schema, '_staging')",
            [EXPORT],
        ).fetchall()
        query = COLUMNS_OF.format("?", "?")
        columns = shared(name for (name,) in db.execute(query, [schema, EXPORT]).fetchall())
        # DuckDB reads some texts of JSON as times, which dlt does not.
        times = [f'try_cast("{name}" AS TIMESTAMP)::text' for name in columns]
        texts = [
            f"coalesce({t}, \"{name}\"::text, '')" for t, name in zip(times, columns, strict=True)
        ]
        row = f"concat_ws(chr(31), {', '.join(texts)})"
        sums = ", ".join(f"sum(hash({text}))" for text in (row, *texts))
        query = f'SELECT count(*), {sums} FROM "{schema}".{EXPORT}'
        ((count, *found),) = db.execute(query).fetchall()
    return int(count), Content.of(columns, found)


def shared(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of columns that all loaders have."""
    return tuple(name for name in names if name not in ADDED and not name.startswith("_"))
