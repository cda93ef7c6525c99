"""A list that contradicts itself fails the sync; no record is lost silently."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.exchange import json_response
from sandbox.kissmetrics import PageRules
from sandbox.kissmetrics.rules import FORMS
from tap_kit import SyncFailed

from tests.kissmetrics.canned import Canned, records
from tests.kissmetrics.site import WITH_TOTAL, account
from tests.singer import Loader

if TYPE_CHECKING:
    from sandbox.exchange import Request
    from sandbox.kissmetrics.rules import Form, ListName

    from tests.kissmetrics.conftest import Serve
    from tests.singer import State

CHANGES: dict[str, dict[str, Any]] = {
    "vanish": {"vanish": 3},
    "insert": {"insert": 4},
    "both": {"vanish": 2, "insert": 5},
}


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("form", FORMS)
def test_same_page_twice_fails_the_sync(serve: Serve, form: Form, workers: int) -> None:
    site = serve(pages=PageRules(form=form, repeat_page=True))
    _, error = site.failing_sync(SyncFailed, "events", page_size=10, max_concurrency=workers)
    problem = "the server sent the same page twice, so the list is incomplete"
    assert str(error) == f"events: {problem}"


@pytest.mark.parametrize("form", WITH_TOTAL)
@pytest.mark.parametrize("count", [5, 30, 45])
def test_total_that_is_too_large_fails_the_sync(serve: Serve, form: Form, count: int) -> None:
    site = serve(pages=PageRules(form=form, short_of_total=3), sizes={"events": count})
    output, error = site.failing_sync(SyncFailed, "events", page_size=10)
    problem = f"the server promised {count + 3} records and sent {count}"
    assert str(error) == f"events: {problem}"
    assert len({row["id"] for row in output.rows("events")}) == count


@pytest.mark.parametrize("form", WITH_TOTAL)
@pytest.mark.parametrize("place", [2, 4])
def test_empty_page_in_the_middle_of_a_list_loses_nothing(
    serve: Serve, form: Form, place: int
) -> None:
    site = serve(pages=PageRules(form=form, empty_page=place))
    output = site.sync("events", page_size=10)
    assert {row["id"] for row in output.rows("events")} == {*site.api.data.ids("events")}


@pytest.mark.parametrize("name", ["products", "reports"])
@pytest.mark.parametrize(
    "rules", [{"repeat_page": True, "form": "bare"}, {"short_of_total": 1}], ids=str
)
def test_incomplete_list_that_the_plan_needs_fails_the_sync(
    serve: Serve, name: ListName, rules: dict[str, Any]
) -> None:
    """A report that is missing in its list would be missing in the results without a message."""
    site = serve(pages_of={name: PageRules(**rules)})
    _, error = site.failing_sync(SyncFailed, "report_results", page_size=2)
    assert str(error).startswith(f"/core/{name}: the server ")


@cache
def undisturbed_state(*streams: str) -> State:
    """Return the state of a run whose lists do not change."""
    with account() as site:
        return site.sync(*streams).state


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("after", [1, 3])
@pytest.mark.parametrize("form", WITH_TOTAL)
@pytest.mark.parametrize("streams", [("events",), ("events", "properties")], ids=str)
def test_list_that_changes_is_read_again(
    serve: Serve, form: Form, after: int, change: str, streams: tuple[str, ...]
) -> None:
    rules = PageRules(form=form, change_after=after, **CHANGES[change])
    site = serve(pages_of={"events": rules}, sizes={"events": 35, "properties": 12})
    loader = Loader()
    loader.load(site.sync(*streams, page_size=10, max_concurrency=2))
    arrived = {key[0] for key in loader.content["events"]}
    left = site.api.data.ids("events")[CHANGES[change].get("vanish", 0) :]
    assert set(left) <= arrived
    assert len(arrived - set(site.api.data.ids("events"))) == CHANGES[change].get("insert", 0)
    assert loader.state == undisturbed_state(*streams)


def test_list_of_reports_that_changes_is_read_again(serve: Serve) -> None:
    site = serve(pages_of={"reports": PageRules(change_after=2, vanish=1)})
    site.sync("report_results", page_size=3, end_date="2024-02-01")
    gone = site.api.data.ids("reports")[0]
    assert {run.report_id for run in site.api.runs} == {*site.runnable()} - {gone}


def test_list_that_changes_in_every_pass_fails_the_sync() -> None:
    seen: list[int] = []

    def page(request: Request) -> Any:
        seen.append(1)
        offset = int(request.parameter("offset") or 0)
        total = 30 + len(seen)
        return {"data": records(total)[offset : offset + 10], "pagination": {"total": total}}

    with Canned({"/core/events": page}) as server, pytest.raises(SyncFailed) as caught:
        server.sync("events", max_concurrency=1)
    assert str(caught.value) == "events: the list changed during each of 3 passes over it"


def test_list_of_reports_that_changes_in_every_pass_fails_the_sync() -> None:
    seen: list[int] = []

    def page(request: Request) -> Any:
        seen.append(1)
        offset = int(request.parameter("offset") or 0)
        total = 30 + len(seen)
        return {"data": records(total)[offset : offset + 10], "pagination": {"total": total}}

    with Canned({"/core/reports": page}) as server, pytest.raises(SyncFailed) as caught:
        server.sync("report_results")
    assert str(caught.value).startswith("/core/reports: the list changed during each of 3 passes")


@pytest.mark.parametrize("offset", [0, 5])
def test_next_link_to_its_own_page_fails_the_sync(offset: int) -> None:
    def page(request: Request) -> Any:
        begin = int(request.parameter("offset") or 0)
        link = {"rel": "next", "href": f"/core/events?limit=5&offset={offset}"}
        return {"data": records(5, begin + 1), "links": [link]}

    with Canned({"/core/events": page}) as server, pytest.raises(SyncFailed) as caught:
        server.sync("events", page_size=5)
    assert str(caught.value) == (
        "/core/events: the link to the next page leads to a page that was read before"
    )


@pytest.mark.parametrize(
    "href",
    [
        "https://api.kissmetrics.com/private/events?offset=5",
        "https://api.kissmetrics.com/core/../private?offset=5",
        "https://evil.example/corella?offset=5",
        "//evil.example?offset=5",
        "mailto:someone@evil.example",
        "file:///etc/passwd",
    ],
)
@pytest.mark.parametrize("place", ["body", "header"])
def test_next_link_outside_the_api_is_refused(href: str, place: str) -> None:
    body: Any = {"data": records(5)}
    headers: tuple[tuple[str, str], ...] = ()
    if place == "body":
        body["links"] = [{"rel": "next", "href": href, "templated": False}]
    else:
        headers = (("link", f'<{href}>; rel="next"; templated="false"'),)
    response = json_response(body, 200, headers)
    with Canned({"/core/events": response}) as server, pytest.raises(SyncFailed) as caught:
        server.sync("events", page_size=5)
    assert str(caught.value).startswith("a link in a response leads outside the API")
    assert len(server.requested("/core/events")) == 1


@pytest.mark.parametrize(
    "body",
    [{"meta": {"status": 200}}, {"data": None}, {"data": "none"}, {"data": [1]}, [None], [{}], 5],
    ids=str,
)
def test_response_without_a_list_of_records_fails_after_five_tries(body: Any) -> None:
    with Canned({"/core/events": body}) as server, pytest.raises(SyncFailed) as caught:
        server.sync("events")
    assert str(caught.value).startswith("GET /core/events: expected a ")
    assert str(caught.value).endswith("failed after 5 tries")
    assert len(server.requested("/core/events")) == 5
