"""``dbt build``: all models and tests pass over files and PostgreSQL; broken rows fail tests."""

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
from tests.end_to_end.proxy import HAS_PROXY
from tests.end_to_end.transform.builds import NOT_LOADED, Dbt
from tools.pages.dbt_facts import BREAKDOWNS
from tools.pages.dbt_models import MODELS

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.postgres import Postgres

    from tests.end_to_end.transform.builds import Build

pytestmark = [pytest.mark.xdist_group("meltano"), pytest.mark.timeout(600)]

NAMES = {
    path.stem
    for folder in (MODELS, MODELS.with_name("marts"))
    for path in folder.rglob("*.sql")
    if path.parent.name not in NOT_LOADED
}
# Columns that differ between two runs over the same days: times, and the id of the vendor's query.
VARYING = {"observed_at", "current_visitors", "extracted_from"}
# The tests that fail if a day of a domain's figures is missing; its lists have that day.
A_DAY_IS_MISSING = [
    "windows_follow stg_kindmetrics__domain_stats",
    *(f"found_in stg_kindmetrics__{stream}" for stream in BREAKDOWNS),
]


def rewritten(folder: Path, stream: str, rows: list[dict[str, Any]]) -> None:
    text = "".join(f"{json.dumps(row)}\n" for row in rows)
    (folder / f"{stream}.jsonl").write_text(text, encoding="utf-8")


def test_all_models_and_tests_pass_over_files(files_build: Build) -> None:
    assert_all_pass(files_build)
    assert f"{len(NAMES)} models, " in files_build.output
    assert "tests: 0 failed or skipped, 0 with a warning" in files_build.output


def test_all_models_and_tests_pass_over_postgres(postgres_build: Build) -> None:
    assert_all_pass(postgres_build)


def assert_all_pass(build: Build) -> None:
    assert build.code == 0, build.output
    assert build.nodes.keys() == {"success", "pass"}
    assert set(build.nodes["success"]) == NAMES
    for name in NAMES:
        assert f"keyed_by {name}" in build.nodes["pass"]


@pytest.mark.skipif(HAS_PROXY, reason="this machine has a proxy of its own")
def test_dbt_contacts_no_host(files_build: Build) -> None:
    assert files_build.contacted == []


def test_files_and_postgres_have_the_same_rows(
    over_files: Dbt,
    files_build: Build,
    postgres_build: Build,
    postgres: Postgres,
) -> None:
    assert files_build.code == postgres_build.code == 0
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


# The types of the columns that the tap gave a type, in DuckDB and as PostgreSQL's own.
TYPED_COLUMNS = {
    "impressions": ("BIGINT", "int8"),
    "response_tar": ("DOUBLE", "float8"),
    "lsw_responded_post_in_business_hour": ("BOOLEAN", "bool"),
    "post_published_time": ("TIMESTAMP WITH TIME ZONE", "timestamptz"),
    "post_provider": ("VARCHAR", "text"),
    "post_provider_seconds": ("BIGINT", "int8"),
    "campaign_name_raw": ("VARCHAR", "text"),
}


def test_columns_with_types_keep_them_and_the_texts_that_do_not_fit(
    over_files: Dbt, files_build: Build, postgres_build: Build, postgres: Postgres
) -> None:
    assert files_build.code == postgres_build.code == 0
    name = "stg_khoros_analytics__raw_brand_posts"
    with (
        duckdb.connect(over_files.settings["ANALYTICS_DUCKDB"], read_only=True) as files,
        psycopg.connect(postgres.url) as tables,
    ):
        one = files.table(f"staging.{name}")
        other = tables.execute(sql.SQL("SELECT * FROM ") + sql.Identifier("staging", name))
        in_files = dict(zip(one.columns, map(str, one.types), strict=True))
        registry = tables.adapters.types
        in_tables = {c.name: registry[c.type_code].name for c in other.description or ()}
        pairs = set(one.project("campaign_name, campaign_name_raw").fetchall())
    found = {column: (in_files[column], in_tables[column]) for column in TYPED_COLUMNS}
    assert found == TYPED_COLUMNS
    assert {value for value, _ in pairs} == {None}
    assert {"Spring, part 1", "Summer ☀️"} <= {text for _, text in pairs}


def rows_of(cursor: Any) -> list[list[tuple[str, str]]]:
    """Return each row as sorted pairs of column and value."""
    columns = [column[0] for column in cursor.description]
    rows = [
        sorted(
            (column, plain(value))
            for column, value in zip(columns, row, strict=True)
            if column not in VARYING
        )
        for row in cursor.fetchall()
    ]
    assert rows
    return sorted(rows)


def plain(value: Any) -> str:
    """Return a value as text; DuckDB gives JSON as text, psycopg as objects."""
    if isinstance(value, str) and value[:1] in {"{", "["}:
        with contextlib.suppress(ValueError):
            value = json.loads(value)
    return repr(value) if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def test_broken_rows_in_files_fail_their_tests_only(over_files: Dbt, tmp_path: Path) -> None:
    """The tests for each broken row fail; all others pass."""
    broken = tmp_path / "jsonl"
    shutil.copytree(over_files.settings["ANALYTICS_JSONL"], broken)
    break_kindmetrics(broken / "tap-kindmetrics")
    break_kissmetrics(broken / "tap-kissmetrics")
    break_kissmetrics_v3(broken / "tap-kissmetrics-v3")
    break_khoros(broken / "tap-khoros-analytics")
    places = {"ANALYTICS_JSONL": str(broken), "ANALYTICS_DUCKDB": str(tmp_path / "x.duckdb")}
    build = Dbt(over_files.folder, places).build()
    assert build.code == 1
    assert set(build.nodes["success"]) == NAMES
    assert sorted(build.nodes["fail"]) == sorted(
        [
            *A_DAY_IS_MISSING,
            "between stg_kindmetrics__countries percentage",
            "keyed_by stg_kindmetrics__domain_stats",
            "keyed_by stg_kindmetrics__sources",
            "keyed_by stg_kissmetrics__report_results",
            "keyed_by stg_kissmetrics_v3__metric_results",
            "keyed_by stg_kissmetrics_v3__query_results",
            "relationships stg_kindmetrics__pages domain_id",
            "relationships stg_kissmetrics__events product_id",
            "relationships stg_kissmetrics_v3__report_results report_id",
            "windows_follow stg_khoros_analytics__team_performance",
        ]
    )
    assert build.nodes["warn"] == ["relationships stg_khoros_analytics__response conversation_id"]
    assert "skipped" not in build.nodes


def test_missing_day_in_postgres_fails_its_tests(
    over_postgres: Dbt, postgres_build: Build, postgres: Postgres
) -> None:
    assert postgres_build.code == 0
    with psycopg.connect(postgres.url, autocommit=True) as tables:
        tables.execute("CREATE TABLE kept AS TABLE tap_kindmetrics.domain_stats")
        try:
            tables.execute(
                "DELETE FROM tap_kindmetrics.domain_stats WHERE domain_id = 1 AND date = "
                "(SELECT min(date) + 3 FROM tap_kindmetrics.domain_stats)"
            )
            build = over_postgres.build("--select", "stg_kindmetrics__domain_stats+")
        finally:
            tables.execute("TRUNCATE tap_kindmetrics.domain_stats")
            tables.execute("INSERT INTO tap_kindmetrics.domain_stats TABLE kept")
            tables.execute("DROP TABLE kept")
    assert build.code == 1
    assert sorted(build.nodes["fail"]) == sorted(A_DAY_IS_MISSING)


def test_stream_that_was_not_loaded_is_reported_with_the_option_to_exclude_it(
    over_files: Dbt, tmp_path: Path
) -> None:
    places = {"ANALYTICS_JSONL": str(tmp_path), "ANALYTICS_DUCKDB": str(tmp_path / "x.duckdb")}
    build = Dbt(over_files.folder, places).build("--select", "stg_kindmetrics__goals")
    assert build.code == 1
    assert "the stream was not loaded: read_json" in build.output
    assert "dbt build --exclude stg_kindmetrics__goals" in build.output


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
    rewritten(folder, "countries", [*countries, {**countries[0], "percentage": 140}])


def break_kissmetrics(folder: Path) -> None:
    events = lines(folder, "events")
    rewritten(folder, "events", [*events, {**events[0], "product_id": "no such"}])
    results = lines(folder, "report_results")
    rewritten(folder, "report_results", [*results, {**results[0], "row_id": "another"}])


def break_kissmetrics_v3(folder: Path) -> None:
    """Add a row twice, an orphan, and a row that an older query has left, which is no error."""
    for stream in ("metric_results", "query_results"):
        rows = lines(folder, stream)
        rewritten(folder, stream, [*rows, {**rows[0], "row_id": "another"}])
    rows = lines(folder, "report_results")
    orphan = {**rows[0], "row_id": "orphan", "report_id": 999}
    older = {**rows[0], "row_id": "older", "extracted_from": "a query before"}
    rewritten(folder, "report_results", [*rows, orphan, older])


def break_khoros(folder: Path) -> None:
    teams = lines(folder, "team_performance")
    lost = sorted({row["window_start"] for row in teams})[3]
    rewritten(folder, "team_performance", [t for t in teams if t["window_start"] != lost])
    responses = lines(folder, "response")
    orphan = {**responses[0], "row_id": "orphan", "conversation_id": "no such"}
    rewritten(folder, "response", [*responses, orphan])
