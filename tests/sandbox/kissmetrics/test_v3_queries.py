"""Version 3: queries that are started, asked about, read and cancelled."""

from collections.abc import Callable
from typing import Any

import pytest
from sandbox.kissmetrics import Run, RunRules, V3Rules

from tests.sandbox.kissmetrics.asking import Asker, ask_v3

Serve = Callable[..., Asker]
YESTERDAY = {"type": "preset", "preset": "yesterday"}


def rows_of(asker: Asker, path: str, body: dict[str, Any]) -> list[Any]:
    """Run a query to its end and read all of its rows."""
    query_id = ask_v3(asker, "POST", path, json=body)["id"]
    rows: list[Any] = []
    while True:
        answer = ask_v3(asker, "GET", f"/queries/{query_id}", params={"offset": len(rows)})
        rows += answer["data"]
        if answer["completed"] and len(answer["data"]) < 50:
            return rows


def report_id(asker: Asker, report_type: str) -> int:
    reports = asker.api.v3_data.records("reports")
    return int(next(one["id"] for one in reports if one["report_type"] == report_type))


def test_a_people_search_needs_no_range(asker: Asker) -> None:
    number = report_id(asker, "people_search")
    first = asker.api.data.ids("reports")[0]
    saved = asker.api.data.rows(first, *asker.api.data.saved_window(first), shifted=True)
    rows = rows_of(asker, "/queries/report", {"report_id": number})
    assert rows == [{"identity": row[1], "columns": row[2:]} for row in saved]
    day = {"type": "on", "date": "2026-03-04"}
    rows = rows_of(asker, "/queries/report", {"report_id": number, "date_range": day})
    assert len(rows) == 40
    assert asker.api.runs[Run(str(number), '{"date":"2026-03-04","type":"on"}')] == 1


def test_rows_may_be_arrays(serve: Serve) -> None:
    asker = serve(run_rules=RunRules(row_form="array"))
    body = {"report_id": report_id(asker, "people_search"), "date_range": YESTERDAY}
    assert all(isinstance(row, list) for row in rows_of(asker, "/queries/report", body))


def test_other_reports_need_a_range(asker: Asker) -> None:
    body = {"report_id": report_id(asker, "funnel")}
    refused = ask_v3(asker, "POST", "/queries/report", json=body)
    assert refused.status_code == 400
    assert refused.json() == {"status": 400, "messages": ["date_range is required."]}
    rows = rows_of(asker, "/queries/report", {**body, "date_range": YESTERDAY})
    assert [row["step"] for row in rows] == [1, 2, 3]


@pytest.mark.parametrize(
    ("date_range", "days"),
    [
        ({"type": "on", "date": "2026-11-19"}, ["2026-11-19"]),
        ({"type": "on", "date": "-P1D"}, ["2026-11-19"]),
        ({"type": "between", "date": "2026-11-17/2026-11-18"}, ["2026-11-17", "2026-11-18"]),
        ({"type": "between", "date": "-P2D/-P1D"}, ["2026-11-18", "2026-11-19"]),
        ({"type": "after", "date": "2026-11-19"}, ["2026-11-19", "2026-11-20"]),
        ({"type": "before", "date": "2013-11-14"}, ["2013-11-13", "2013-11-14"]),
        ({"type": "preset", "preset": "today"}, ["2026-11-20"]),
        (YESTERDAY, ["2026-11-19"]),
        ({"type": "preset", "preset": "last_2_days"}, ["2026-11-18", "2026-11-19"]),
        ({"type": "on", "date": "2030-01-01"}, []),
    ],
)
def test_ranges_are_days_of_the_product(
    asker: Asker, date_range: dict[str, str], days: list[str]
) -> None:
    body = {"metric_id": 1001, "date_range": date_range}
    rows = rows_of(asker, "/queries/metric", body)
    assert [row["timestamp"] for row in rows] == days
    assert rows == asker.api.v3_data.metric_rows(1001, date_range)


@pytest.mark.parametrize(("preset", "days"), [("ever", 4756), ("this_month_to_date", 20)])
def test_presets_may_be_long(asker: Asker, preset: str, days: int) -> None:
    date_range = {"type": "preset", "preset": preset}
    assert len(asker.api.v3_data.metric_rows(1001, date_range)) == days


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/queries/report", {}),
        ("/queries/report", {"report_id": "1001"}),
        ("/queries/report", {"report_id": True}),
        ("/queries/report", []),
        ("/queries/metric", {"metric_id": 1001, "date_range": "yesterday"}),
        ("/queries/metric", {"metric_id": 1001, "date_range": {"type": "since"}}),
        ("/queries/metric", {"metric_id": 1001, "date_range": {"type": "on"}}),
        ("/queries/metric", {"metric_id": 1001, "date_range": {"type": "on", "date": "soon"}}),
        ("/queries/metric", {"metric_id": 1001, "date_range": {"type": "on", "date": "20260101"}}),
        ("/queries/metric", {"metric_id": 1001, "date_range": {"type": "preset"}}),
        ("/queries/metric", {"metric_id": 1001, "date_range": {"type": "between", "date": "a"}}),
        (
            "/queries/metric",
            {"metric_id": 1001, "date_range": {"type": "between", "date": "2026-02-02/2026-02-01"}},
        ),
        ("/queries", {"product_id": 1001, "query_type": "guess", "query_params": {}}),
        ("/queries", {"product_id": 1001, "query_type": "cohort"}),
        ("/queries", {"product_id": 1001, "query_type": "sql", "query_params": {}}),
        ("/queries", {"product_id": None, "query_params": {}}),
    ],
)
def test_nonsense_is_refused(asker: Asker, path: str, body: Any) -> None:
    answer = ask_v3(asker, "POST", path, json=body)
    assert answer.status_code == 400
    assert answer.json()["status"] == 400
    assert not asker.api.runs


def test_a_body_must_be_json(asker: Asker) -> None:
    assert ask_v3(asker, "POST", "/queries", data="{").status_code == 400


@pytest.mark.parametrize("path", ["/queries/report", "/queries/metric", "/queries"])
def test_what_a_query_names_must_exist(asker: Asker, path: str) -> None:
    body = {"report_id": 7, "metric_id": 7, "product_id": 7, "query_type": "cohort"}
    body |= {"date_range": YESTERDAY, "query_params": {}}
    assert ask_v3(asker, "POST", path, json=body).status_code == 404


def test_queries_of_ones_own(asker: Asker) -> None:
    sql = {"statement": "select * from records"}
    rows = rows_of(asker, "/queries", {"product_id": 1001, "query_params": sql})
    assert len(rows) == 40
    assert len({tuple(row) for row in rows}) > 2
    assert rows == asker.api.v3_data.query_rows(1001, "sql")
    search = {"product_id": "1001", "query_type": "people_search", "query_params": {}}
    assert set(rows_of(asker, "/queries", search)[0]) == {"identity", "columns"}
    counts = {**search, "query_type": "people_count"}
    assert rows_of(asker, "/queries", counts)[0]["value"] >= 0


def test_sql_may_be_forbidden(serve: Serve) -> None:
    asker = serve(v3=V3Rules(has_sql=False))
    body = {"product_id": 1001, "query_type": "sql", "query_params": {"statement": ""}}
    refused = ask_v3(asker, "POST", "/queries", json=body)
    assert refused.status_code == 403
    message = "You are not authorized to access this page."
    assert refused.json() == {"status": 403, "messages": [message]}


def test_a_query_has_no_rows_until_it_is_completed(asker: Asker) -> None:
    body = {"report_id": report_id(asker, "people_search"), "date_range": YESTERDAY}
    query_id = ask_v3(asker, "POST", "/queries/report", json=body)["id"]
    answers = [ask_v3(asker, "GET", f"/queries/{query_id}") for _ in range(3)]
    assert [one["completed"] for one in answers] == [False, False, True]
    assert [bool(one["data"]) for one in answers] == [False, False, True]
    assert set(answers[-1]) == {"completed", "data"}


def test_a_query_can_be_cancelled(asker: Asker) -> None:
    body = {"metric_id": 1001}
    query_id = ask_v3(asker, "POST", "/queries/metric", json=body)["id"]
    cancelled = ask_v3(asker, "DELETE", f"/queries/{query_id}")
    assert cancelled == {"id": query_id, "cancelled": True}
    assert asker.api.cancelled == [query_id]
    assert ask_v3(asker, "GET", f"/queries/{query_id}").status_code == 404


def test_a_query_may_fail(serve: Serve) -> None:
    asker = serve(run_rules=RunRules(error="it broke"))
    query_id = ask_v3(asker, "POST", "/queries/metric", json={"metric_id": 1001})["id"]
    answer = ask_v3(asker, "GET", f"/queries/{query_id}")
    assert answer == {"completed": False, "error": "it broke", "data": []}
