"""Responses of version 3 that are malformed, or of a shape that was never observed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sandbox.exchange import json_response
from tap_kit import SyncFailed

from tests.kissmetrics.v3.canned import ROWS, V3Canned, pages

if TYPE_CHECKING:
    from sandbox.exchange import Request

QUERY = "/queries/q1"


def results(responses: dict[str, Any], *streams: str, **changes: Any) -> list[dict[str, Any]]:
    """Return the rows of report results with these responses."""
    with V3Canned(responses) as server:
        return server.sync(*(streams or ("report_results",)), **changes).rows("report_results")


def test_page_of_a_query_that_is_no_longer_completed_does_not_end_the_results() -> None:
    """A query that is not completed has no rows, which looks like the end of the results."""
    requested: list[str] = []

    def response(request: Request) -> Any:
        requested.append(request.target)
        body = pages(ROWS)(request)
        return {"completed": False, "data": []} if len(requested) == 2 else body

    with V3Canned({QUERY: response}) as server:
        rows = server.sync("report_results", page_size=1).rows("report_results")
    assert [row["identity"] for row in rows] == ["a@x", "b@x"]
    assert requested[1] == requested[2], "the page is requested again"


def test_query_is_done_only_when_completed_is_true() -> None:
    seen: list[str] = []

    def response(request: Request) -> Any:
        seen.append(request.path)
        return pages(ROWS, completed=len(seen) > 3 or None)(request)

    assert len(results({QUERY: response})) == 2
    assert len(seen) > 3


@pytest.mark.parametrize(
    ("rows", "kmid", "identity", "values"),
    [
        ([[5, "a@x", 1]], 5, "a@x", {"column_1": 1}),
        ([["a@x", 5, 1]], None, None, {"column_1": "a@x", "column_2": 5, "column_3": 1}),
        ([[1.5, "a@x"]], None, None, {"column_1": 1.5, "column_2": "a@x"}),
        ([[7]], None, None, {"column_1": 7}),
        ([[]], None, None, {}),
        ([{"identity": "a@x", "columns": [1]}], None, "a@x", {"column_1": 1}),
        ([{"identity": "a@x", "Plan": None}], None, None, {"identity": "a@x", "Plan": None}),
        ([{}], None, None, {}),
    ],
    ids=str,
)
def test_row_of_any_shape_is_written(
    rows: list[Any], kmid: int | None, identity: str | None, values: dict[str, Any]
) -> None:
    """No response with rows of version 3 was ever recorded: none of these shapes stops a sync."""
    (row,) = results({QUERY: pages(rows)})
    assert (row["kmid"], row["identity"], row["values"]) == (kmid, identity, values)


@pytest.mark.parametrize(
    ("responses", "words"),
    [
        ({"/queries/report": {"query": "q1"}}, "expected the id of a query"),
        ({"/queries/report": {"id": "../products"}}, "expected the id of a query"),
        ({"/queries/report": {"id": 5}}, "expected the id of a query"),
        ({"/queries/report": [1]}, "expected a JSON object"),
        ({QUERY: {"data": []}}, "expected a query: {completed, data}"),
        ({QUERY: {"completed": True, "data": {}}}, "expected rows: lists or objects"),
        ({QUERY: {"completed": True}}, "expected rows: lists or objects"),
        ({QUERY: {"completed": True, "data": ["a@x"]}}, "expected rows: lists or objects"),
        ({"/products": {"products": "none"}}, "expected a list of objects with an id"),
        ({"/products": {"data": [{"name": "x"}]}}, "expected a list of objects with an id"),
        ({"/products": {"items": []}}, "expected a list of objects with an id"),
    ],
    ids=str,
)
def test_malformed_response_fails_with_one_clear_error(
    responses: dict[str, Any], words: str
) -> None:
    with V3Canned(responses) as server, pytest.raises(SyncFailed) as caught:
        server.sync("report_results")
    assert words in str(caught.value)
    assert "a@x" not in str(caught.value)
    assert str(caught.value).endswith("failed after 5 tries")


def test_totals_that_are_texts_become_numbers() -> None:
    events = {"data": [{"id": 5, "total": "17"}, {"id": 6, "total": 18}, {"id": 7}]}

    def response(request: Request) -> Any:
        return events if request.parameter("offset") == "0" else {"data": []}

    with V3Canned({"/products/1/events": response}) as server:
        rows = server.sync("events").rows("events")
    assert [row.get("total") for row in rows] == [17, 18, None]


@pytest.mark.parametrize("response", [{"id": "q1", "cancelled": False}, json_response({}, 500), []])
def test_query_stays_in_the_state_unless_its_cancellation_is_confirmed(response: Any) -> None:
    """The next run resumes it; if it were removed from the state, it would be run twice."""

    def query(request: Request) -> Any:
        if request.method == "DELETE":
            return response
        server.stop()
        return {"completed": False, "data": []}

    with V3Canned({QUERY: query}) as server:
        output = server.interrupted("report_results")
    (part,) = output.state["bookmarks"]["report_results"]["partitions"]
    assert part["jobs"]["2024-02-01"]["query_id"] == "q1"


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_start_may_have_any_status_of_a_start(status: int) -> None:
    start = json_response({"id": "q1"}, status)
    assert len(results({"/queries/report": start, QUERY: pages(ROWS)})) == 2


@pytest.mark.parametrize(
    "error",
    [{"status": 500, "messages": ["boom"]}, {"errors": ["x"]}, {"meta": {"status": 404}}],
    ids=str,
)
def test_response_that_describes_an_error_is_not_an_empty_one(
    error: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    empty = {**error, "data": []}
    with V3Canned({"/products/1/events": empty}) as server:
        _, failure = server.failing_sync("events")
    assert "the response describes an error" in str(failure)
    with V3Canned({QUERY: {**empty, "completed": True}}) as server:
        _, failure = server.failing_sync("report_results")
    assert str(failure).endswith("these failed: report_results, report_id 7, 2024-02-01")
    assert "the server reports an error in the query" in caplog.text


def test_further_page_that_describes_an_error_is_not_the_last_one() -> None:
    def query(request: Request) -> Any:
        is_first = request.parameter("offset") == "0"
        return {"completed": True, "data": ROWS[:1]} if is_first else {"data": [], "status": 500}

    with V3Canned({QUERY: query}) as server:
        _, failure = server.failing_sync("report_results", page_size=1)
    assert "the response describes an error (status 500)" in str(failure)


def test_query_of_another_window_is_refused() -> None:
    with V3Canned({QUERY: pages(ROWS)}) as server:
        output, failure = server.failing_sync(
            "report_results", end_date="2024-02-02", max_concurrency=1
        )
    assert {row["start_date"][:10] for row in output.rows("report_results")} == {"2024-02-01"}
    assert str(failure).endswith("these failed: report_results, report_id 7, 2024-02-02")
