"""Metrics by their ids, and queries of the settings, which are sent unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sandbox.kissmetrics import V3Rules

from tests.kissmetrics.rows import comparable, hashed
from tests.kissmetrics.site import days
from tests.kissmetrics.v3.canned import V3Canned, pages
from tests.kissmetrics.v3.site import SQL
from tests.singer import Loader

if TYPE_CHECKING:
    from tests.kissmetrics.v3.conftest import ServeV3
    from tests.kissmetrics.v3.site import V3Site
    from tests.singer import Row


def metric_rows(site: V3Site, metric_id: int) -> list[Row]:
    """Return the expected rows of a metric, window by window."""
    rows = []
    for day in days():
        (values,) = site.api.v3_data.metric_rows(metric_id, {"type": "on", "date": str(day)})
        rows.append(
            {
                "row_id": hashed([metric_id, str(day), str(day), 1]),
                "metric_id": metric_id,
                "start_date": str(day),
                "end_date": str(day),
                "row_number": 1,
                "timestamp": str(day),
                "value": values["value"],
                "values": values,
            }
        )
    return rows


def sql_rows(site: V3Site, product_id: int, entry: dict[str, Any]) -> list[Row]:
    """Return the expected rows of a query."""
    found: list[Any] = site.api.v3_data.query_rows(product_id, "sql")  # type: ignore[assignment]
    key = entry.get("primary_key")
    return [
        {
            "row_id": hashed(
                [entry["name"], product_id, [row.get(label) for label in key] if key else row]
            ),
            "query_name": entry["name"],
            "query_type": "sql",
            "product_id": product_id,
            "row_number": number,
            "values": row,
        }
        for number, row in enumerate(found, 1)
    ]


@pytest.mark.parametrize("as_text", [True, False])
def test_metrics_are_read_day_by_day(v3: V3Site, *, as_text: bool) -> None:
    ids = v3.metric_ids[:2]
    chosen = [str(one) if as_text else one for one in ids]
    output = v3.sync("metric_results", metric_ids=chosen, max_concurrency=1)
    expected = [row for one in ids for row in metric_rows(v3, one)]
    assert comparable(output.rows("metric_results")) == expected
    assert v3.bodies("/metric")[0] == {
        "metric_id": ids[0],
        "date_range": {"type": "on", "date": "2024-02-01"},
    }
    marks = output.state["bookmarks"]["metric_results"]["partitions"]
    assert {part["replication_key_value"] for part in marks} == {"2024-02-02"}


def test_metric_starts_lookback_days_before_its_bookmark(v3: V3Site) -> None:
    ids = v3.metric_ids[:1]
    first = v3.sync("metric_results", metric_ids=ids)
    v3.api.log.clear()
    v3.sync(
        "metric_results",
        metric_ids=ids,
        state=first.state,
        end_date="2024-02-04",
        max_concurrency=1,
    )
    sent = [body["date_range"]["date"] for body in v3.bodies("/metric")]
    assert sent == ["2024-02-01", "2024-02-02", "2024-02-03", "2024-02-04"]


def test_metric_with_windows_of_a_week_has_a_row_per_day(v3: V3Site) -> None:
    ids = v3.metric_ids[:1]
    output = v3.sync("metric_results", metric_ids=ids, window_days=7, end_date="2024-02-07")
    rows = output.rows("metric_results")
    assert [row["timestamp"] for row in rows] == [f"2024-02-0{day}" for day in range(1, 8)]
    assert {row["start_date"] for row in rows} == {"2024-02-01"}
    assert len({row["row_id"] for row in rows}) == 7


def test_missing_metric_is_skipped_with_a_warning(v3: V3Site) -> None:
    here = v3.metric_ids[0]
    ended = v3.execute(metric_ids=[77, here])
    assert ended.code == 0, ended.stderr
    (warning,) = [text for text in ended.warnings if "77" in text]
    assert warning.startswith("metric_results, metric_id 77: skipped: not found")
    assert comparable(ended.output.rows("metric_results")) == metric_rows(v3, here)


@pytest.mark.parametrize(
    "rows",
    [
        [{"value": "12 %", "segment": "a"}, {"value": None}, {"value": True}],
        [["2024-02-01", 12]],
        [{"timestamp": 1706745600, "value": 1.5}],
        [{}],
    ],
    ids=str,
)
def test_unusual_rows_of_a_metric_are_kept_whole_in_values(rows: list[Any]) -> None:
    with V3Canned({"/queries/q1": pages(rows)}) as server:
        found = server.sync("metric_results", metric_ids=[5]).rows("metric_results")
    objects = [
        row if isinstance(row, dict) else {"column_1": row[0], "column_2": row[1]} for row in rows
    ]
    assert [row["values"] for row in found] == objects
    assert {row["timestamp"] for row in found} == {None}
    assert {row["value"] for row in found} <= {None, 1.5}


def test_query_is_run_for_each_product_or_for_its_own(v3: V3Site) -> None:
    one, two, _ = v3.ids("products")
    queries = [SQL, {**SQL, "name": "own", "product_id": str(two), "primary_key": ["timestamp_ms"]}]
    output = v3.sync("query_results", queries=queries, product_ids=[one])
    expected = sql_rows(v3, one, queries[0]) + sql_rows(v3, two, queries[1])
    assert comparable(output.rows("query_results")) == expected
    everywhere = v3.sync("query_results", queries=[SQL])
    assert {row["product_id"] for row in everywhere.rows("query_results")} == set(
        v3.ids("products")
    )


def test_parameters_of_a_query_are_sent_unchanged(v3: V3Site) -> None:
    params = {
        "statement": "SELECT 'é', \"x\" -- 1 < 2\n",
        "nested": {"frequency_occurence": [1, None, True, 0.5, {"then": []}]},
    }
    query = {"name": "x", "query_type": "sql", "query_params": params}
    product_id = v3.ids("products")[0]
    v3.sync("query_results", queries=[{**query, "product_id": product_id}])
    assert v3.bodies("/queries") == [
        {"product_id": product_id, "query_type": "sql", "query_params": params}
    ]


@pytest.mark.parametrize("query_type", ["people_count", "people_search"])
def test_queries_of_other_types_are_read(v3: V3Site, query_type: str) -> None:
    query = {"name": "x", "query_type": query_type, "query_params": {"conditions": []}}
    product_id = v3.ids("products")[0]
    output = v3.sync("query_results", queries=[{**query, "product_id": product_id}])
    rows = output.rows("query_results")
    assert rows
    assert {row["query_type"] for row in rows} == {query_type}
    assert all(row["values"] for row in rows)


def test_product_without_sql_is_skipped_with_a_warning(serve_v3: ServeV3) -> None:
    site = serve_v3(v3=V3Rules(has_sql=False))
    ended = site.execute(queries=[SQL], product_ids=site.ids("products")[:1])
    assert ended.code == 0, ended.stderr
    (warning,) = [text for text in ended.warnings if "query_results" in text]
    assert warning.endswith("skipped: the user has no access to it (HTTP 403)")
    assert ended.output.rows("query_results") == []


def test_equal_rows_have_different_keys() -> None:
    rows = [{"a": 1}, {"a": 1}, {"a": 2, "b": 5}, {"a": 2}, [1], {"a": 1}]
    query = {**SQL, "product_id": 1}
    with V3Canned({"/queries/q1": pages(rows)}) as server:
        found = server.sync("query_results", queries=[query], page_size=2).rows("query_results")
        keyed = {**query, "primary_key": ["a"]}
        again = server.sync("query_results", queries=[keyed]).rows("query_results")
    name = SQL["name"]
    assert [row["row_id"] for row in found] == [
        hashed([name, 1, {"a": 1}]),
        hashed([name, 1, {"a": 1}, 2]),
        hashed([name, 1, {"a": 2, "b": 5}]),
        hashed([name, 1, {"a": 2}]),
        hashed([name, 1, {"column_1": 1}]),
        hashed([name, 1, {"a": 1}, 3]),
    ]
    assert [row["row_number"] for row in found] == [1, 2, 3, 4, 5, 6]
    expected = [[1], [1], [2], [2], [None], [1]]
    occurrences: list[list[int]] = [[], [2], [], [2], [], [3]]
    assert [row["row_id"] for row in again] == [
        hashed([name, 1, key, *more]) for key, more in zip(expected, occurrences, strict=True)
    ]


def test_second_run_loads_the_same_rows(v3: V3Site) -> None:
    loader = Loader()
    settings: dict[str, Any] = {"queries": [SQL], "metric_ids": v3.metric_ids[:2]}
    loader.load(v3.sync("query_results", "metric_results", **settings))
    before = {name: len(rows) for name, rows in loader.content.items()}
    loader.load(v3.sync("query_results", "metric_results", state=loader.state, **settings))
    assert {name: len(rows) for name, rows in loader.content.items()} == before


def test_no_query_is_started_without_metric_ids_and_queries(v3: V3Site) -> None:
    output = v3.sync("metric_results", "query_results")
    assert output.streams == ["metric_results", "query_results"]
    assert v3.requests("POST") == []
