"""What a response says about itself: its own limit, its own errors, links relative to its path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sandbox.exchange import json_response
from tap_kissmetrics.lists.envelope import Envelope, converted, error_in
from tap_kit import resolved_link

from tests.kissmetrics.canned import RESULTS, RUN, STATUS, Canned, records

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.exchange import Request

EVENTS = "/core/events"
ERRORS: list[dict[str, Any]] = [
    {"meta": {"status": 500, "message": "boom", "errors": ["internal"]}, "data": []},
    {"meta": {"status": 404, "message": "not found"}, "data": {}},
    {"meta": {"status": 200, "errors": ["invalid_parameter"]}, "data": []},
    {"status": 401, "messages": ["Unauthenticated."], "data": []},
    {"errors": ["x"], "data": []},
]


def offset(request: Request) -> int:
    """Return the offset of a request."""
    return int(request.parameter("offset") or 0)


def sized(sizes: Sequence[int], total: Callable[[int], int | None]) -> Callable[[Request], Any]:
    """Return a list in pages of these sizes, each of which states its own size as the limit."""
    ends = [sum(sizes[: place + 1]) for place in range(len(sizes))]

    def page(request: Request) -> Any:
        begin = offset(request)
        end = next((end for end in ends if end > begin), begin)
        found = records(end - begin, begin + 1)
        stated = {"limit": len(found), "offset": begin, "total": total(len(found))}
        return {"data": found, "pagination": stated, "links": []}

    return page


@pytest.mark.parametrize(
    ("sizes", "total"),
    [
        ((20, 20, 5), lambda size: size),  # of the page
        ((20, 20, 5), lambda _: 20),
        ((20, 7, 18), lambda _: None),  # a short page in the middle
    ],
    ids=["total of the page", "total of the first page", "short page"],
)
def test_page_that_is_full_by_its_own_limit_is_not_the_last_one(sizes: Any, total: Any) -> None:
    with Canned({EVENTS: sized(sizes, total)}) as server:
        rows = server.sync("events").rows("events")
    assert [row["id"] for row in rows] == [f"e{number}" for number in range(1, 46)]


def test_limit_that_is_larger_than_the_page_ends_the_list() -> None:
    def page(_: Request) -> Any:
        return {"data": records(3), "pagination": {"limit": 20, "offset": 0, "total": 3}}

    with Canned({EVENTS: page}) as server:
        assert len(server.sync("events").rows("events")) == 3
        assert len(server.requested(EVENTS)) == 1


@pytest.mark.parametrize("limit", [None, "20", 20.0, True, [20]])
def test_limit_that_is_no_number_is_not_used(limit: Any) -> None:
    assert converted({"pagination": {"limit": limit}}, Envelope).stated_limit is None


@pytest.mark.parametrize(
    ("total", "sizes"), [("pagination", [2, 2, 1]), ("top", [2, 2, 1])], ids=str
)
def test_result_whose_total_is_the_page_is_read_on(total: str, sizes: list[int]) -> None:
    def page(request: Request) -> Any:
        begin = offset(request)
        rows = [[n, f"p{n}", n] for n in range(5)][begin : begin + 2]
        if total == "top":
            return {"rows": rows, "total": 5, "metadata": {"limit": 2}}
        return {"data": rows, "pagination": {"limit": 2, "offset": begin, "total": 2}}

    with Canned({RESULTS: page}) as server:
        rows = server.sync("report_results").rows("report_results")
    assert [row["kmid"] for row in rows] == list(range(sum(sizes)))


@pytest.mark.parametrize("body", ERRORS, ids=str)
def test_list_that_describes_an_error_is_not_an_empty_list(body: dict[str, Any]) -> None:
    with Canned({EVENTS: body}) as server:
        _, error = server.failing_sync("events")
        assert "the response describes an error" in str(error)
        assert len(server.requested(EVENTS)) == 5


@pytest.mark.parametrize("body", ERRORS, ids=str)
def test_query_that_describes_an_error_has_failed(
    body: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with Canned({STATUS: {**body, "completed": True}}) as server:
        _, error = server.failing_sync("report_results")
    assert str(error).endswith("these failed: report_results, report_id r1, 2024-02-01")
    assert "the server reports an error in the query" in caplog.text


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"data": [], "errors": []},
        {"meta": {"status": 200, "errors": None}, "data": []},
        {"meta": "x", "status": "active"},
        {"status": True},
    ],
    ids=str,
)
def test_other_responses_describe_no_error(body: Any) -> None:
    assert error_in(body) is None


@pytest.mark.parametrize(
    "link", ["?limit=2&offset={}", "events?limit=2&offset={}", "./events?limit=2&offset={}"]
)
def test_links_can_be_relative_to_the_page(link: str) -> None:
    def page(request: Request) -> Any:
        end = offset(request) + 2
        links = [{"rel": "next", "href": link.format(end)}] if end < 5 else []
        return {"data": records(5)[end - 2 : end], "links": links}

    with Canned({EVENTS: page}) as server:
        assert len(server.sync("events").rows("events")) == 5


def test_location_can_be_relative_to_the_request() -> None:
    responses = {
        RUN: json_response({}, 202, (("location", "../../../../queries/q1/status"),)),
        STATUS: json_response({"completed": True}, 201, (("location", "results"),)),
        RESULTS: [[1, "a@x", 2]],
    }
    with Canned(responses) as server:
        assert len(server.sync("report_results").rows("report_results")) == 1


@pytest.mark.parametrize(
    ("href", "resolved"),
    [
        ("?a=1", "/core/x?a=1"),
        ("y", "/core/y"),
        ("../admin", "/admin"),  # the check that follows refuses it
        ("/core/../admin", "/core/../admin"),
        ("https://other.example/core/y", "https://other.example/core/y"),
        ("//other.example/core/y", "//other.example/core/y"),
    ],
)
def test_only_relative_links_are_resolved(href: str, resolved: str) -> None:
    assert resolved_link("/core/x?limit=1", href) == resolved


@pytest.mark.parametrize("status", [400, 402, 410, 422])
@pytest.mark.parametrize("path", [STATUS, RESULTS])
def test_refused_query_costs_only_its_window(path: str, status: int) -> None:
    """Its other days and the other streams are read."""
    started: list[bytes] = []

    def run(request: Request) -> Any:
        started.append(request.body)
        is_first = b"2024-02-01T00" in request.body
        place = STATUS if is_first else STATUS.replace("q1", f"q{len(started) + 1}")
        return json_response({}, 202, (("location", place),))

    usual = {
        f"/v2/queries/q{number}/{part}": value
        for number in (2, 3)
        for part, value in (("status", {"completed": True}), ("results", [[1, "a@x", 2]]))
    }
    responses = {RUN: run, **usual, path: json_response({}, status)}
    with Canned(responses) as server:
        output, error = server.failing_sync(
            "report_results", "reports", end_date="2024-02-02", max_concurrency=1
        )
    assert [row["start_date"][:10] for row in output.rows("report_results")] == ["2024-02-02"]
    assert len(output.rows("reports")) == 1
    assert str(error).endswith("these failed: report_results, report_id r1, 2024-02-01")


@pytest.mark.parametrize("status", [402, 410, 422])
def test_refused_list_of_a_product_costs_only_itself(status: int) -> None:
    products: dict[str, Any] = {f"/core/products/{i}": {"id": i, "links": []} for i in ("p1", "p2")}
    lists = {
        "/core/products/p1/events": json_response({}, status),
        "/core/products/p2/events": records(2),
    }
    with Canned({**products, **lists, "/core": {}}) as server:
        output, error = server.failing_sync("events", product_ids=["p1", "p2"])
    assert len(output.rows("events")) == 2
    assert str(error).endswith("these failed: events, product_id p1")


def test_query_of_another_window_is_refused() -> None:
    """The rows of one day are not those of the next one."""
    responses = {
        RUN: json_response({}, 202, (("location", "/v2/queries/same/status"),)),
        "/v2/queries/same/status": {"completed": True},
        "/v2/queries/same/results": [[1, "a@x", 2]],
    }
    with Canned(responses) as server:
        output, error = server.failing_sync(
            "report_results", end_date="2024-02-02", max_concurrency=1
        )
    assert [row["start_date"][:10] for row in output.rows("report_results")] == ["2024-02-01"]
    assert str(error).endswith("these failed: report_results, report_id r1, 2024-02-02")
