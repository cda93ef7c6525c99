"""Version 3: queries that clients start, poll, read and cancel."""

from typing import Any

import pytest
from sandbox.kissmetrics import Run, RunRules, V3Rules

from tests.sandbox.kissmetrics.client import Client, Serve, request_v3

YESTERDAY = {"type": "preset", "preset": "yesterday"}


def rows_of(client: Client, path: str, body: dict[str, Any]) -> list[Any]:
    """Run a query until it is completed, and return all its rows."""
    query_id = request_v3(client, "POST", path, json=body)["id"]
    rows: list[Any] = []
    while True:
        response = request_v3(client, "GET", f"/queries/{query_id}", params={"offset": len(rows)})
        rows += response["data"]
        if response["completed"] and len(response["data"]) < 50:
            return rows


def report_id(client: Client, report_type: str) -> int:
    reports = client.api.v3_data.records("reports")
    return int(next(one["id"] for one in reports if one["report_type"] == report_type))


def test_a_people_search_does_not_need_a_range(client: Client) -> None:
    number = report_id(client, "people_search")
    first = client.api.data.ids("reports")[0]
    saved = client.api.data.rows(first, *client.api.data.saved_window(first), shifted=True)
    rows = rows_of(client, "/queries/report", {"report_id": number})
    assert rows == [{"identity": row[1], "columns": row[2:]} for row in saved]
    day = {"type": "on", "date": "2026-03-04"}
    rows = rows_of(client, "/queries/report", {"report_id": number, "date_range": day})
    assert len(rows) == 40
    assert client.api.runs[Run(str(number), '{"date":"2026-03-04","type":"on"}')] == 1


def test_rows_can_be_arrays(serve: Serve) -> None:
    client = serve(run_rules=RunRules(row_form="array"))
    body = {"report_id": report_id(client, "people_search"), "date_range": YESTERDAY}
    assert all(isinstance(row, list) for row in rows_of(client, "/queries/report", body))


def test_other_reports_need_a_range(client: Client) -> None:
    body = {"report_id": report_id(client, "funnel")}
    refused = request_v3(client, "POST", "/queries/report", json=body)
    assert refused.status_code == 400
    assert refused.json() == {"status": 400, "messages": ["date_range is required."]}
    rows = rows_of(client, "/queries/report", {**body, "date_range": YESTERDAY})
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
def test_ranges_are_days_in_the_time_zone_of_the_product(
    client: Client, date_range: dict[str, str], days: list[str]
) -> None:
    body = {"metric_id": 1001, "date_range": date_range}
    rows = rows_of(client, "/queries/metric", body)
    assert [row["timestamp"] for row in rows] == days
    assert rows == client.api.v3_data.metric_rows(1001, date_range)


@pytest.mark.parametrize(("preset", "days"), [("ever", 4756), ("this_month_to_date", 20)])
def test_presets_can_be_long(client: Client, preset: str, days: int) -> None:
    date_range = {"type": "preset", "preset": preset}
    assert len(client.api.v3_data.metric_rows(1001, date_range)) == days


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
def test_invalid_bodies_return_400(client: Client, path: str, body: Any) -> None:
    response = request_v3(client, "POST", path, json=body)
    assert response.status_code == 400
    assert response.json()["status"] == 400
    assert not client.api.runs


def test_a_body_must_be_json(client: Client) -> None:
    assert request_v3(client, "POST", "/queries", data="{").status_code == 400


@pytest.mark.parametrize("path", ["/queries/report", "/queries/metric", "/queries"])
def test_the_records_of_a_query_must_exist(client: Client, path: str) -> None:
    body = {"report_id": 7, "metric_id": 7, "product_id": 7, "query_type": "cohort"}
    body |= {"date_range": YESTERDAY, "query_params": {}}
    assert request_v3(client, "POST", path, json=body).status_code == 404


def test_queries_that_are_not_saved_return_rows(client: Client) -> None:
    sql = {"statement": "select * from records"}
    rows = rows_of(client, "/queries", {"product_id": 1001, "query_params": sql})
    assert len(rows) == 40
    assert len({tuple(row) for row in rows}) > 2
    assert rows == client.api.v3_data.query_rows(1001, "sql")
    search = {"product_id": "1001", "query_type": "people_search", "query_params": {}}
    assert set(rows_of(client, "/queries", search)[0]) == {"identity", "columns"}
    counts = {**search, "query_type": "people_count"}
    assert rows_of(client, "/queries", counts)[0]["value"] >= 0


def test_sql_can_be_forbidden(serve: Serve) -> None:
    client = serve(v3=V3Rules(has_sql=False))
    body = {"product_id": 1001, "query_type": "sql", "query_params": {"statement": ""}}
    refused = request_v3(client, "POST", "/queries", json=body)
    assert refused.status_code == 403
    message = "You are not authorized to access this page."
    assert refused.json() == {"status": 403, "messages": [message]}


def test_a_query_has_no_rows_until_it_is_completed(client: Client) -> None:
    body = {"report_id": report_id(client, "people_search"), "date_range": YESTERDAY}
    query_id = request_v3(client, "POST", "/queries/report", json=body)["id"]
    responses = [request_v3(client, "GET", f"/queries/{query_id}") for _ in range(3)]
    assert [one["completed"] for one in responses] == [False, False, True]
    assert [bool(one["data"]) for one in responses] == [False, False, True]
    assert set(responses[-1]) == {"completed", "data"}


def test_a_query_can_be_cancelled(client: Client) -> None:
    body = {"metric_id": 1001}
    query_id = request_v3(client, "POST", "/queries/metric", json=body)["id"]
    cancelled = request_v3(client, "DELETE", f"/queries/{query_id}")
    assert cancelled == {"id": query_id, "cancelled": True}
    assert client.api.cancelled == [query_id]
    assert request_v3(client, "GET", f"/queries/{query_id}").status_code == 404


def test_a_query_can_fail(serve: Serve) -> None:
    client = serve(run_rules=RunRules(error="it broke"))
    query_id = request_v3(client, "POST", "/queries/metric", json={"metric_id": 1001})["id"]
    response = request_v3(client, "GET", f"/queries/{query_id}")
    assert response == {"completed": False, "error": "it broke", "data": []}
