"""Whole loads of an export into PostgreSQL and DuckDB: from the API to the table, with peers."""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.postgres import postgres_running

from benchmarks.contest import Case, Contestant, contest, scratch
from benchmarks.environments import executable, script, version
from benchmarks.khoros_site import EXPORT, TAP, finished_job, tenant
from benchmarks.measure import NOWHERE
from benchmarks.meltano_run import PROJECT, make_project, tap_variables, target_config, whole
from benchmarks.runs import catalog, tap_command
from benchmarks.summary import RESULTS
from benchmarks.tables import Contents, Database, Loader, duckdb_content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sandbox.postgres import Postgres

    from benchmarks.contest import Options
    from benchmarks.tables import Command

ROWS, LONGEST_S = 100_000, 300
OURS = f"meltano run {TAP} (ours)"
POSTGRES, JSONL = "target-postgres", "target-jsonl"
NOTE = (
    "Seconds and CPU time are those of all processes, without PostgreSQL's own. Our tap starts a "
    "job and polls it; the peers only download its result. All merge the rows by their key, and "
    "their tables are equal."
)
VALIDATED = {"TARGET_POSTGRES_VALIDATE_RECORDS": "true"}
BATCH_ROOT = f"{TAP.upper().replace('-', '_')}_BATCH_CONFIG_STORAGE_ROOT"
DUCKDB_LOAD = (
    "import duckdb, sys\n"
    "with duckdb.connect(sys.argv[1]) as db:\n"
    f'    db.execute("CREATE OR REPLACE TABLE {EXPORT} AS SELECT DISTINCT ON (row_id) * FROM '
    'read_json(?)", [sys.argv[2]])'
)


def run(options: Options) -> Iterator[Case | str]:
    """Measure a first load and a second one that updates all rows, then DuckDB."""
    make_project()
    rows = options.sized(ROWS)
    with (
        tenant("--rows", f"{EXPORT}={rows}", "--exclusive-end") as settings,
        postgres_running() as postgres,
        scratch() as name,
    ):
        yield from _loads_into_postgres(settings, postgres, Path(name), rows, options)
        title = f"{rows:,} rows of 20 columns into DuckDB"
        case = Case("duckdb", title, rows)
        yield contest(case, into_duckdb(settings), options, place=NOWHERE)


def _loads_into_postgres(
    settings: dict[str, Any], postgres: Postgres, folder: Path, rows: int, options: Options
) -> Iterator[Case | str]:
    database, slow = Database(postgres), too_slow(rows, RESULTS)
    everybody = [
        loader for loader in into_postgres(settings, postgres, folder) if loader.label not in slow
    ]
    for load in ("first", "second"):
        title = f"{rows:,} rows of 20 columns into PostgreSQL, {load} load"
        case = Case(f"postgres_{load}", title, rows, NOTE)
        loaders = [
            database.contestant(loader, f"load_{number}", is_first=load == "first")
            for number, loader in enumerate(everybody)
        ]
        yield contest(case, loaders, options, place=NOWHERE)
        if case.figures:
            yield database.table()
    if slow:
        expected = "; ".join(f"{label}: {seconds:,.0f} s" for label, seconds in slow.items())
        yield f"Left out, since a run would take longer than {LONGEST_S} s: {expected}."


def too_slow(rows: int, results: Path) -> dict[str, float]:
    """Return the contestants that would take longer than ``LONGEST_S`` for so many rows.

    Their time follows from the published results of fewer rows.
    """
    page = results / "warehouse.json"
    cases = json.loads(page.read_text("utf-8"))["cases"] if page.exists() else []
    return {
        figures["label"]: seconds
        for case in cases
        if case["name"] == "postgres_first" and case["rows"] < rows
        for figures in case["figures"]
        if (seconds := statistics.median(figures["seconds"]) * rows / case["rows"]) > LONGEST_S
    }


def into_postgres(settings: dict[str, Any], postgres: Postgres, folder: Path) -> list[Loader]:
    """Return all loaders, ours first."""
    job = finished_job(settings, "json")
    chosen = [*tap_command(TAP, settings, folder), *catalog(TAP, settings, folder, EXPORT)]
    sdk = version_of("singer_sdk", "singer-sdk")
    dlt = version_of("dlt", "dlt")

    def through_meltano(**more: str) -> Command:
        return meltano_command(postgres, {**tap_variables(settings), **more})

    def with_batches(folder: Path, schema: str) -> Sequence[str]:
        more = {BATCH_ROOT: str(folder / "batches"), "TARGET_POSTGRES_USE_COPY": "true"}
        return through_meltano(**more)(folder, schema)

    def with_dlt(file_format: str) -> Command:
        return lambda folder, schema: dlt_command(
            job, folder, "postgres", postgres.url, schema, file_format
        )

    return [
        Loader(OURS, through_meltano()),
        Loader(f"{OURS}, batch files and COPY", with_batches),
        Loader(f"{OURS}, the target validates", through_meltano(**VALIDATED)),
        Loader(f"{TAP} piped into {POSTGRES} (ours)", piped_command(postgres, lambda _: chosen)),
        Loader("dlt, merge, csv files", with_dlt("csv"), dlt),
        Loader("dlt, merge, insert_values", with_dlt("insert_values"), dlt),
        Loader(
            f"singer-sdk tap piped into {POSTGRES}",
            piped_command(postgres, lambda folder: sdk_tap(job, folder)),
            sdk,
        ),
        Loader(
            "loop by hand, orjson and COPY (the practical limit)",
            lambda folder, schema: [
                *(executable("bare"), script("bare", "copy_loop.py"), config(folder, job)),
                *(f"url={postgres.url}", f"schema={schema}"),
            ],
            version_of("bare", "psycopg"),
        ),
    ]


def meltano_command(postgres: Postgres, variables: Mapping[str, str]) -> Command:
    """Return the command that loads with ``meltano run``, with these variables of the tap."""
    return lambda _, schema: whole(POSTGRES, {**variables, **postgres_variables(postgres, schema)})


def piped_command(postgres: Postgres, tap: Callable[[Path], Sequence[str]]) -> Command:
    """Return the command that loads with a tap piped into the target."""

    def command(folder: Path, schema: str) -> Sequence[str]:
        target = [target_program(), "--config"]
        target.append(target_config(POSTGRES, postgres_variables(postgres, schema), folder))
        return pipe(tap(folder), target)

    return command


def into_duckdb(settings: dict[str, Any]) -> list[Contestant]:
    """Return our tap through JSONL files, and dlt."""
    job, contents = finished_job(settings, "json"), Contents()

    def counted(label: str) -> Callable[[Path], int]:
        def count(folder: Path) -> int:
            found, content = duckdb_content(folder)
            contents.compare(label, content)
            return found

        return count

    def ours(folder: Path) -> Sequence[str]:
        variables = tap_variables(settings) | {"TARGET_JSONL_DESTINATION_PATH": str(folder)}
        load = [sys.executable, "-c", DUCKDB_LOAD, str(folder / "warehouse.duckdb")]
        return then(whole(JSONL, variables), [*load, str(folder / f"{EXPORT}.jsonl")])

    def theirs(folder: Path) -> Sequence[str]:
        return dlt_command(
            job, folder, "duckdb", str(folder / "warehouse.duckdb"), "loaded", "parquet"
        )

    own, dlt = f"{OURS} {JSONL}, then read_json", "dlt, merge, parquet files"
    return [
        Contestant(own, ours, count=counted(own)),
        Contestant(dlt, theirs, version_of("dlt", "dlt"), counted(dlt)),
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
