"""Whole loads of an export into PostgreSQL and DuckDB: from the API to the table, with peers."""

from __future__ import annotations

import json
import statistics
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb
import psutil
import psycopg
from psycopg import sql
from sandbox.postgres import postgres_running

from benchmarks.contest import Case, Contestant, contest, scratch
from benchmarks.environments import executable, script, version
from benchmarks.khoros_site import EXPORT, TAP, finished_job, tenant
from benchmarks.measure import NOWHERE
from benchmarks.meltano_run import PROJECT, make_project, tap_variables, target_config, whole
from benchmarks.runs import catalog, tap_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sandbox.postgres import Postgres

    from benchmarks.contest import Options

ROWS = (100_000, 1_000_000)
OURS = f"meltano run {TAP} (ours)"
POSTGRES, JSONL = "target-postgres", "target-jsonl"
NOTE = (
    "Seconds and CPU time are those of all processes, without PostgreSQL's own. Our tap starts a "
    "job and polls it; the peers only download its result. All merge the rows by their key."
)
DUCKDB_LOAD = (
    "import duckdb, sys\n"
    "with duckdb.connect(sys.argv[1]) as db:\n"
    f'    db.execute("CREATE OR REPLACE TABLE {EXPORT} AS SELECT DISTINCT ON (row_id) * FROM '
    'read_json(?)", [sys.argv[2]])'
)


class Loader(NamedTuple):
    """A way to load the export; ``command(folder, schema)`` loads it into the schema."""

    label: str
    command: Callable[[Path, str], Sequence[str]]
    version: Callable[[], str] = str


@dataclass
class Database:
    """The server that all load into, and the processor time that it spent for each of them."""

    postgres: Postgres
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
            return self._rows(schema)

        return Contestant(loader.label, command, loader.version, count)

    def table(self) -> str:
        """Return a table of the server's processor time, and begin anew."""
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

    def _rows(self, schema: str) -> int:
        with psycopg.connect(self.postgres.url) as connection:
            query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, EXPORT))
            found = connection.execute(query).fetchone()
        return int(found[0]) if found else 0

    def _spent_s(self) -> float:
        """Return the processor time of the server, with that of all processes that have ended."""
        server = next(
            process
            for process in psutil.Process().children(recursive=True)
            if process.name() == "postgres" and f"{self.postgres.port}" in process.cmdline()
        )
        times = [process.cpu_times() for process in (server, *server.children(recursive=True))]
        ended = times[0].children_user + times[0].children_system
        return float(ended + sum(one.user + one.system for one in times))


def run(options: Options) -> Iterator[Case | str]:
    """Measure a first load and a second one that updates all rows, then DuckDB."""
    make_project()
    for full in ROWS:
        rows = options.sized(full)
        with tenant("--rows", f"{EXPORT}={rows}", "--exclusive-end") as settings:
            with postgres_running() as postgres, scratch() as name:
                database = Database(postgres)
                everybody = into_postgres(settings, postgres, Path(name))
                for load, is_first in (("first load", True), ("second load", False)):
                    title = f"{rows:,} rows of 20 columns into PostgreSQL, {load}"
                    case = Case(f"postgres_{full}_{load[:6].strip()}", title, rows, NOTE)
                    loaders = [
                        database.contestant(loader, f"load_{number}", is_first=is_first)
                        for number, loader in enumerate(everybody)
                    ]
                    yield contest(case, loaders, options, place=NOWHERE)
                    yield database.table()
            title = f"{rows:,} rows of 20 columns into DuckDB"
            case = Case(f"duckdb_{full}", title, rows)
            yield contest(case, into_duckdb(settings), options, place=NOWHERE)


def into_postgres(settings: dict[str, Any], postgres: Postgres, folder: Path) -> list[Loader]:
    """Return all loaders, ours first."""
    job = finished_job(settings, "json")
    chosen = [*tap_command(TAP, settings, folder), *catalog(TAP, settings, folder, EXPORT)]
    sdk = version_of("singer_sdk", "singer-sdk")
    dlt = version_of("dlt", "dlt")

    def through_meltano(**more: str) -> Callable[[Path, str], Sequence[str]]:
        own = {**tap_variables(settings), **more}
        return lambda _, schema: whole(POSTGRES, own | postgres_variables(postgres, schema))

    def piped(tap: Callable[[Path], Sequence[str]]) -> Callable[[Path, str], Sequence[str]]:
        def command(folder: Path, schema: str) -> Sequence[str]:
            target = [target_program(), "--config"]
            target.append(target_config(POSTGRES, postgres_variables(postgres, schema), folder))
            return pipe(tap(folder), target)

        return command

    def with_dlt(file_format: str) -> Callable[[Path, str], Sequence[str]]:
        return lambda folder, schema: dlt_command(
            job, folder, "postgres", postgres.url, schema, file_format
        )

    return [
        Loader(OURS, through_meltano()),
        Loader(f"{OURS}, the target validates", through_meltano(**VALIDATED)),
        Loader(f"{TAP} | {POSTGRES} (ours)", piped(lambda _: chosen)),
        Loader("dlt, merge, csv files", with_dlt("csv"), dlt),
        Loader("dlt, merge, insert_values", with_dlt("insert_values"), dlt),
        Loader(f"singer-sdk tap | {POSTGRES}", piped(lambda folder: sdk_tap(job, folder)), sdk),
        Loader(
            "loop by hand, orjson and COPY (the practical limit)",
            lambda folder, schema: [
                *(executable("bare"), script("bare", "copy_loop.py"), config(folder, job)),
                *(f"url={postgres.url}", f"schema={schema}"),
            ],
            version_of("bare", "psycopg"),
        ),
    ]


VALIDATED = {"TARGET_POSTGRES_VALIDATE_RECORDS": "true"}


def into_duckdb(settings: dict[str, Any]) -> list[Contestant]:
    """Return our tap through JSONL files, and dlt."""
    job = finished_job(settings, "json")

    def count(folder: Path) -> int:
        with duckdb.connect(folder / "warehouse.duckdb", read_only=True) as db:
            ((schema,),) = db.execute(
                "SELECT table_schema FROM information_schema.tables WHERE table_name = ?", [EXPORT]
            ).fetchall()
            ((rows,),) = db.execute(f'SELECT count(*) FROM "{schema}".{EXPORT}').fetchall()
        return int(rows)

    def ours(folder: Path) -> Sequence[str]:
        variables = tap_variables(settings) | {"TARGET_JSONL_DESTINATION_PATH": str(folder)}
        load = [sys.executable, "-c", DUCKDB_LOAD, str(folder / "warehouse.duckdb")]
        return then(whole(JSONL, variables), [*load, str(folder / f"{EXPORT}.jsonl")])

    def theirs(folder: Path) -> Sequence[str]:
        return dlt_command(
            job, folder, "duckdb", str(folder / "warehouse.duckdb"), "loaded", "parquet"
        )

    return [
        Contestant(f"{OURS} {JSONL}, then read_json", ours, count=count),
        Contestant("dlt, merge, parquet files", theirs, version_of("dlt", "dlt"), count),
    ]


def version_of(name: str, package: str) -> Callable[[], str]:
    """Return a function that returns the name and the version of a contestant's package."""
    return lambda: f"{package} {version(name, package)}"


def dlt_command(job: dict[str, Any], folder: Path, *place: str) -> Sequence[str]:
    """Return the pipeline of ``peers/dlt``."""
    own = (config(folder, job), str(folder), *place)
    return (executable("dlt"), script("dlt", "warehouse.py"), *own)


def sdk_tap(job: dict[str, Any], folder: Path) -> Sequence[str]:
    """Return the tap of ``peers/singer_sdk``."""
    program = script("singer_sdk", "export_tap.py")
    return (executable("singer_sdk"), program, "--config", config(folder, job))


def postgres_variables(postgres: Postgres, schema: str) -> dict[str, str]:
    """Return the settings of ``target-postgres`` in Meltano."""
    return {**postgres.target_settings, "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": schema}


def target_program() -> str:
    """Return the path of ``target-postgres`` in the project's environment."""
    return str(PROJECT / ".meltano" / "loaders" / POSTGRES / "venv" / "bin" / POSTGRES)


def config(folder: Path, job: dict[str, Any]) -> str:
    """Write the config file of a peer, and return its path."""
    path = folder / "config.json"
    path.write_text(json.dumps(job))
    return str(path)


def pipe(first: Sequence[str], second: Sequence[str]) -> list[str]:
    """Return a command that pipes one command into another, and fails if one of them does."""
    return ["bash", "-o", "pipefail", "-c", _both(len(first), "|"), "bash", *first, *second]


def then(first: Sequence[str], second: Sequence[str]) -> list[str]:
    """Return a command that runs one command and then another."""
    return ["bash", "-c", _both(len(first), "&&"), "bash", *first, *second]


def _both(length: int, joined: str) -> str:
    return f'"${{@:1:{length}}}" {joined} "${{@:{length + 1}}}"'
