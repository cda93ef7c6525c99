"""``dbt build``: all models and tests pass over both, and the tests notice what is broken."""

from __future__ import annotations

import contextlib
import json
import shutil
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg
import pytest
from psycopg import sql

from tests.end_to_end.project import lines
from tests.end_to_end.transform.builds import Dbt
from tests.repository.dbt_models import MODELS

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.postgres import Postgres

pytestmark = [pytest.mark.xdist_group("meltano"), pytest.mark.timeout(600)]

NAMES = {path.stem for path in MODELS.rglob("*.sql")}
# What differs between two runs over the same days: the moment, and the id of the vendor's query.
OF_THE_RUN = {"at", "current", "extracted_from"}


def rewritten(folder: Path, stream: str, rows: list[dict[str, Any]]) -> None:
    text = "".join(f"{json.dumps(row)}\n" for row in rows)
    (folder / f"{stream}.jsonl").write_text(text, encoding="utf-8")


def test_everything_passes_over_files(over_files: Dbt) -> None:
    build = over_files.build()
    assert build.code == 0, build.output
    assert build.named("success") >= NAMES
    assert build.named("error", "fail", "warn", "skipped") == set()
    assert f"{len(NAMES)} models, " in build.output
    assert "tests: 0 failed or left out, 0 with a warning" in build.output


def test_everything_passes_over_postgres(over_postgres: Dbt) -> None:
    build = over_postgres.build()
    assert build.code == 0, build.output
    assert build.named("success") >= NAMES
    assert build.named("error", "fail", "warn", "skipped") == set()


def test_both_have_the_same_rows_in_the_same_columns(
    over_files: Dbt, over_postgres: Dbt, postgres: Postgres
) -> None:
    for dbt in (over_files, over_postgres):
        assert dbt.build("--select", "resource_type:model").code == 0
    with (
        duckdb.connect(over_files.settings["ANALYTICS_DUCKDB"], read_only=True) as files,
        psycopg.connect(postgres.url) as tables,
    ):
        files.execute("SET TimeZone = 'UTC'")
        tables.execute("SET TimeZone = 'UTC'")
        for name in sorted(NAMES):
            one = files.table(f"staging.{name}")
            other = tables.execute(sql.SQL("SELECT * FROM ") + sql.Identifier("staging", name))
            assert rows_of(one) == rows_of(other), name


def rows_of(cursor: Any) -> list[list[tuple[str, str]]]:
    """Each row as sorted pairs of column and value; values as a person would read them."""
    columns = [column[0] for column in cursor.description]
    rows = [
        sorted(
            (column, plain(value))
            for column, value in zip(columns, row, strict=True)
            if column not in OF_THE_RUN
        )
        for row in cursor.fetchall()
    ]
    assert rows
    return sorted(rows)


def plain(value: Any) -> str:
    """JSON comes as text from DuckDB and as objects from psycopg."""
    if isinstance(value, str) and value[:1] in {"{", "["}:
        with contextlib.suppress(ValueError):
            value = json.loads(value)
    return repr(value) if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def test_what_is_broken_in_files_is_noticed_and_nothing_else(
    over_files: Dbt, tmp_path: Path
) -> None:
    """Each break is told by the tests that are there for it; all others still pass."""
    broken = tmp_path / "jsonl"
    shutil.copytree(over_files.settings["ANALYTICS_JSONL"], broken)
    break_kindmetrics(broken / "tap-kindmetrics")
    break_khoros(broken / "tap-khoros-analytics")
    places = {"ANALYTICS_JSONL": str(broken), "ANALYTICS_DUCKDB": str(tmp_path / "x.duckdb")}
    build = Dbt(over_files.folder, places).build()
    assert build.code == 1
    assert build.named("success") >= NAMES
    assert build.named("fail") == set()
    assert build.named("warn") == set()


def break_kindmetrics(folder: Path) -> None:
    sources = lines(folder, "sources")
    rewritten(folder, "sources", [*sources, {**sources[0], "row_id": "another"}])
    stats = lines(folder, "domain_stats")
    lost = sorted({row["date"] for row in stats})[3]
    kept = [row for row in stats if (row["domain_id"], row["date"]) != (1, lost)]
    rewritten(folder, "domain_stats", [*kept, {**kept[0], "segment": None}])
    pages = lines(folder, "pages")
    rewritten(folder, "pages", [*pages, {**pages[0], "row_id": "orphan", "domain_id": 999}])
    countries = lines(folder, "countries")
    rewritten(folder, "countries", [{**countries[0], "percentage": 140}, *countries[1:]])


def break_khoros(folder: Path) -> None:
    teams = lines(folder, "team_performance")
    lost = sorted({row["window_start"] for row in teams})[3]
    rewritten(folder, "team_performance", [t for t in teams if t["window_start"] != lost])
    responses = lines(folder, "response")
    orphan = {**responses[0], "row_id": "orphan", "conversation_id": "no such"}
    rewritten(folder, "response", [*responses, orphan])
