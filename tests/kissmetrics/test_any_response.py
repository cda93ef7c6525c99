"""Any JSON as the response to any request gives values of the right types, or one line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timezone
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from singer_sdk.exceptions import ConfigValidationError
from tap_kissmetrics.client import Finished, Report
from tap_kissmetrics.core.client import CoreClient
from tap_kissmetrics.lists.pagination import page_of
from tap_kissmetrics.reports.rows import labels_of, person_of
from tap_kissmetrics.reports.saved import Reports
from tap_kissmetrics.v3.client import V3Client
from tap_kissmetrics.v3.query_streams import as_objects
from tap_kit import KitError, Response, SyncFailed, Window, parse_json, read_list
from tap_kit.net.hosts import api_path

from tests.kissmetrics.canned import Canned

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_kit import Check, Request, Run

DAY = date(2024, 2, 1)
SPAN = (datetime(2024, 2, 1, tzinfo=timezone.utc), datetime(2024, 2, 2, tzinfo=timezone.utc))
ENVELOPE = ["id", "data", "rows", "links", "rel", "href", "templated", "pagination", "total"]
RECORD = ["timezone", "product_id", "report_type", "name", "kmid", "identity", "columns"]
QUERY = ["completed", "error", "cancelled", "display_name", "display_return_option", "events"]
LINKS = [
    "/v2/queries/q1/status",
    "/core/products/{product_id}",
    "/core/products/{+product_id}?",
    "/v2/queries/../../x",
    "/v2/queries/a%2Fb",
    "/core/{",
    "{product_id:x}",
    "http://[x",
    "//",
]
WORDS = ["next", "true", "query-status", "9" * 5000, "-1", "", "..", "UTC", "\ud800"]
TEXTS = st.sampled_from(LINKS + WORDS) | st.text(max_size=5)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(ENVELOPE + RECORD + QUERY), inner, max_size=6)
    ),
    max_leaves=25,
)
HEADERS = st.fixed_dictionaries({}, optional={"Link": TEXTS, "Location": TEXTS})


@dataclass
class AnyApi:
    """An API that sends the same response to every request; it does not retry."""

    value: Any
    headers: dict[str, str]
    requests: int = 0

    def send(
        self, request: Request, shape: Any, check: Check = lambda _: None, **options: Any
    ) -> Response:
        """Return the response, or raise what is wrong with it."""
        self.requests += 1
        body = json.dumps(self.value).encode()
        value = options.get("decode", parse_json)(body, str(request))
        response = Response(200, self.headers, value)
        if not isinstance(value, shape) or check(response):
            msg = f"{request}: {check(response) if isinstance(value, shape) else 'expected'}"
            raise SyncFailed(msg)
        return response

    def send_once(self, _request: Request) -> Any:
        """Return the value."""
        return self.value

    def path_of(self, href: str) -> str:
        """Return the path of a link."""
        return api_path("https://api.example", href, ("/core/", "/v2/"))


def run_with(api: AnyApi, **config: Any) -> Run:
    """Return a run whose APIs are ``api``."""
    usual = {"api_token": "x", "api_url": "", "query_url": "", "v3_url": "", "page_size": 5}
    one = SimpleNamespace(config={**usual, **config}, failed=[], open_api=lambda *_a, **_k: api)
    return cast("Run", one)


REPORT = Report(id="r1", name="Who", product_id="p1", zone=ZoneInfo("UTC"))
CORE: dict[str, Callable[[CoreClient], Any]] = {
    "page": lambda c: c.page("/core/events?limit=5&offset=0"),
    "products": lambda c: c.products(),
    "product": lambda c: c.product("p1").list_href("events"),
    "reports": lambda c: c.reports(),
    "report": lambda c: c.report("r1"),
    "check_access": lambda c: c.check_access(),
    "start": lambda c: c.report_query(REPORT, Window(DAY, DAY), SPAN).start(),
    "poll": lambda c: c.report_query(REPORT, Window(DAY, DAY), SPAN).poll({"query_id": "q1"}),
    "results": lambda c: rows_in(c.results("/v2/queries/q1/results")),
    "pages": lambda c: read_list(lambda: c.pages("/core/events").read(c.page), "events"),
    "all results": lambda c: read_list(
        lambda: c.pages_of(Finished("/v2/queries/q1/results")).read(c.results), "results"
    ),
    "to_run": lambda c: [*Reports(c, {}).to_run()],
}
V3: dict[str, Callable[[V3Client], Any]] = {
    "page": lambda c: c.page("/products/1/events?limit=5&offset=0"),
    "products": lambda c: c.products(),
    "reports": lambda c: c.reports(),
    "check_access": lambda c: c.check_access(),
    "start": lambda c: c.query("/queries", {}).start(),
    "poll": lambda c: c.query("/queries", {}).poll({"query_id": "q1"}),
    "cancel": lambda c: c.query("/queries", {}).cancel({"query_id": "q1"}, 1),
    "results": lambda c: [*as_objects(c.results("/queries/q1").records)],
    "to_run": lambda c: [*Reports(c, {}).to_run()],
}


def rows_in(page: Any) -> list[str]:
    """Return the labels of a page's rows."""
    people = [person_of(row) for row in page.records]
    return labels_of(page.columns, (), people)


def outcome(ask: Callable[[], Any]) -> str:
    """Return the line of the error that the request ends with; empty if there is none."""
    try:
        ask()
    except (KitError, ConfigValidationError) as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", CORE)
@given(value=JSON, headers=HEADERS)
@example(value={"data": [], "links": {}}, headers={})
@example(value={"data": {"links": 5, "id": "x"}}, headers={})
@example(value={"pagination": []}, headers={})
@example(value={"data": [{"id": "x"}], "pagination": {"total": "9" * 5000}}, headers={})
@example(value=[{"id": "p1", "timezone": 5}], headers={})
@example(value={"id": {}}, headers={"Location": "http://[x"})
def test_core_client_returns_values_or_one_line(
    name: str, value: Any, headers: dict[str, str]
) -> None:
    api = AnyApi(value, headers)
    line = outcome(lambda: CORE[name](CoreClient(run_with(api))))
    assert len(line.splitlines()) <= 1
    assert api.requests <= 10


@pytest.mark.parametrize("name", V3)
@given(value=JSON, headers=HEADERS)
@example(value=[{"id": [1]}], headers={})
@example(value=[{"id": 1, "timezone": {}}], headers={})
@example(value={"id": ".."}, headers={})
@example(value={"completed": True, "data": [[], {}]}, headers={})
def test_v3_client_returns_values_or_one_line(
    name: str, value: Any, headers: dict[str, str]
) -> None:
    api = AnyApi(value, headers)
    line = outcome(lambda: V3[name](V3Client(run_with(api))))
    assert len(line.splitlines()) <= 1
    assert api.requests <= 30


def test_columns_of_a_result_are_labels() -> None:
    sent = ["x", 1, None, {"display_name": "y"}, {"display_name": "z", "display_return_option": 2}]
    page = page_of(Response(200, {}, {"data": [], "columns": sent}))
    assert page.columns == ["x", "1", "None", "y", "z (2)"]


@pytest.mark.parametrize(
    ("around", "problem"),
    [
        ({"links": {}}, "`array | null`, got `object` - at `$.links`"),
        ({"links": ["next"]}, "`object`, got `str` - at `$.links[0]`"),
        ({"links": [{"href": 5}]}, "`str | null`, got `int` - at `$.links[0].href`"),
        ({"pagination": 5}, "`object | null`, got `int` - at `$.pagination`"),
        ({"pagination": {"total": "9" * 5000}}, "regex '^[0-9]{1,18}\\\\Z' - at `$.pagination"),
        ({"total": -1}, "`int` >= 0 - at `$.total`"),
    ],
    ids=str,
)
def test_what_stands_around_the_records_is_checked_and_requested_again(
    around: dict[str, Any], problem: str
) -> None:
    body = {"data": [{"id": "e1"}], **around}
    with Canned({"/core/events": body}) as server, pytest.raises(SyncFailed) as caught:
        server.sync("events")
    assert str(caught.value).startswith("GET /core/events: expected ")
    assert problem in str(caught.value)
    assert str(caught.value).endswith("failed after 5 tries")
    assert len(server.requested("/core/events")) == 5
