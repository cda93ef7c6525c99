"""Answers of version 3 that break their promise, or that nobody has seen yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sandbox.exchange import json_response
from tap_kit.errors import SyncFailed

from tests.kissmetrics.v3.canned import ROWS, V3Answers, pages

if TYPE_CHECKING:
    from sandbox.exchange import Request

QUERY = "/queries/q1"


def results(answers: dict[str, Any], *streams: str, **changes: Any) -> list[dict[str, Any]]:
    """The rows of report results that these answers give."""
    with V3Answers(answers) as server:
        return server.sync(*(streams or ("report_results",)), **changes).rows("report_results")


def test_a_page_that_is_not_completed_any_more_is_not_taken_for_the_end() -> None:
    """Rows of a query that is not completed are none, which looks like the end of the list."""
    asked: list[str] = []

    def answer(request: Request) -> Any:
        asked.append(request.target)
        body = pages(ROWS)(request)
        return {"completed": False, "data": []} if len(asked) == 2 else body

    with V3Answers({QUERY: answer}) as server:
        rows = server.sync("report_results", page_size=1).rows("report_results")
    assert [row["identity"] for row in rows] == ["a@x", "b@x"]
    assert asked[1] == asked[2], "asked for again"


def test_a_query_counts_as_done_only_when_it_says_so() -> None:
    seen: list[str] = []

    def answer(request: Request) -> Any:
        seen.append(request.path)
        return pages(ROWS, completed=len(seen) > 3 or None)(request)

    assert len(results({QUERY: answer})) == 2
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
def test_a_row_of_any_shape_arrives(
    rows: list[Any], kmid: int | None, identity: str | None, values: dict[str, Any]
) -> None:
    """What rows of version 3 look like was never recorded: none of these stops a sync."""
    (row,) = results({QUERY: pages(rows)})
    assert (row["kmid"], row["identity"], row["values"]) == (kmid, identity, values)


@pytest.mark.parametrize(
    ("answers", "words"),
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
def test_an_answer_that_breaks_its_promise_is_one_clear_error(
    answers: dict[str, Any], words: str
) -> None:
    with V3Answers(answers) as server, pytest.raises(SyncFailed) as caught:
        server.sync("report_results")
    assert words in str(caught.value)
    assert "a@x" not in str(caught.value)
    assert str(caught.value).endswith("given up after 5 tries")


def test_a_total_may_be_text() -> None:
    events = {"data": [{"id": 5, "total": "17"}, {"id": 6, "total": 18}, {"id": 7}]}

    def answer(request: Request) -> Any:
        return events if request.parameter("offset") == "0" else {"data": []}

    with V3Answers({"/products/1/events": answer}) as server:
        rows = server.sync("events").rows("events")
    assert [row.get("total") for row in rows] == [17, 18, None]


@pytest.mark.parametrize("answer", [{"id": "q1", "cancelled": False}, json_response({}, 500), []])
def test_what_is_no_cancellation_leaves_the_query_in_the_state(answer: Any) -> None:
    """The next run picks it up; taken out of the state it would be paid for twice."""

    def query(request: Request) -> Any:
        if request.method == "DELETE":
            return answer
        server.stop()
        return {"completed": False, "data": []}

    with V3Answers({QUERY: query}) as server:
        output = server.interrupted("report_results")
    (part,) = output.state["bookmarks"]["report_results"]["partitions"]
    assert part["jobs"]["2024-02-01"]["query_id"] == "q1"
