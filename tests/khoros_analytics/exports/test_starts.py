"""How exports are started: the method, the place of the parameters, rejected starts."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
from sandbox.faults import Fault
from tap_khoros_analytics.exports.definitions import EXPORTS

from tests.khoros_analytics.expected import days, expected_rows
from tests.khoros_analytics.site import (
    COMPANY_KEY,
    LAST,
    ONE_DAY,
    STREAMS,
    bookmark,
    catalog_of,
    deselected,
    tenant,
)

if TYPE_CHECKING:
    from sandbox.requestlog import LoggedRequest

    from tests.khoros_analytics.conftest import Serve
    from tests.khoros_analytics.site import Site

DOCUMENTED = dict.fromkeys(EXPORTS, "POST") | {"user": "GET", "conversation_actions": "GET"}


def start_requests(site: Site, export: str) -> list[LoggedRequest]:
    """Return the requests to start an export."""
    return [
        r for r in site.api.log.requests if r.path.endswith((f"report/{export}", f"g/{export}"))
    ]


@cache
def all_streams() -> Site:
    """Return a tenant after a run that reads a day of all streams."""
    with tenant() as site:
        site.sync(*STREAMS, **ONE_DAY)
    return site


def test_each_export_is_started_as_the_specification_says() -> None:
    site = all_streams()
    for export, method in DOCUMENTED.items():
        for request in start_requests(site, export):
            assert request.method == method, export
            in_query = {name for name, _ in request.query}
            if export == "conversation_history_action":
                assert in_query == {"companyKey", "raiselimit"}
                assert b"startTime=1706745600000" in request.body
                kind = request.headers["content-type"]
                assert kind == "application/x-www-form-urlencoded"
            else:
                assert {"companyKey", "startTime", "endTime"} <= in_query
                assert request.body == b""
    assert "/marketing/raw_brand_posts" in start_requests(site, "raw_brand_posts")[0].path


@pytest.mark.parametrize(("export", "method"), [("user", "POST"), ("conversation_actions", "POST")])
def test_a_setting_overrides_the_method(site: Site, export: str, method: str) -> None:
    output = site.sync(export, exports={export: {"method": method}}, **ONE_DAY)
    (request,) = start_requests(site, export)
    assert request.method == method
    assert [name for name, _ in request.query] == ["companyKey"]
    assert b"startTime" in request.body
    assert output.rows(export) == expected_rows(site.api, export, days()[:1])


@pytest.mark.parametrize("status", [404, 405, 415])
@pytest.mark.parametrize("export", ["author", "user"])
def test_a_rejected_method_is_replaced_once_for_the_whole_run(
    serve: Serve, status: int, export: str
) -> None:
    other = "GET" if DOCUMENTED[export] == "POST" else "POST"
    site = serve(wrong_method_status=status, methods={export: [other]})
    output = site.sync(export, max_concurrency=1, end_date="2024-02-03")
    methods = [request.method for request in start_requests(site, export)]
    assert methods == [DOCUMENTED[export], *[other] * 3]
    assert len(output.rows(export)) >= 24


def test_the_run_knows_the_method_that_discovery_found(serve: Serve) -> None:
    site = serve(methods={"author": ["GET"]})
    tap = site.tap(max_concurrency=1)
    assert [request.method for request in start_requests(site, "author")] == ["POST", "GET"]
    assert tap.tenant.start_rules.methods == {"author": "GET"}


def test_a_rejected_form_is_sent_as_json(serve: Serve) -> None:
    """The specification declares a JSON body, the vendor's samples send a form."""
    site = serve(body_types=["json"])
    output = site.sync("conversation_history_action", max_concurrency=1)
    kinds = [r.headers["content-type"] for r in start_requests(site, "conversation_history_action")]
    assert kinds == ["application/x-www-form-urlencoded", "application/json", "application/json"]
    assert output.rows("conversation_history_action") == expected_rows(
        site.api, "conversation_history_action", days()
    )


def test_an_export_that_the_tenant_lacks_is_a_warning(serve: Serve) -> None:
    site = serve(has_brand_posts=False)
    ended = site.execute(catalog=catalog_of("raw_brand_posts", "author"), **ONE_DAY)
    assert ended.code == 0
    (logged,) = [text for text in ended.warnings if text.startswith("raw_brand_posts")]
    assert "404" in logged
    assert len(ended.output.rows("author")) == 9
    assert bookmark(ended.output.state, "raw_brand_posts") is None


def test_an_export_without_access_is_a_warning(site: Site) -> None:
    site.api.faults.append(Fault("status", status=403, path="report/author"))
    ended = site.execute(catalog=catalog_of("combined", "author"), **ONE_DAY)
    assert ended.code == 0
    assert [text for text in ended.warnings if "author" in text and "403" in text]
    assert len(ended.output.rows("combined")) == 9


def test_all_columns_are_requested_when_the_server_rejects_a_selection(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.api.faults.append(Fault("status", status=400, path="reportMetrics"))
    catalog = deselected(catalog_of("author"), "author", "author_name")
    output = site.sync(catalog=catalog, max_concurrency=1, end_date="2024-02-03")
    assert ["reportMetrics" in params for params in site.requested("report/author")] == [
        *(True, False, False, False)
    ]
    assert "author_name" not in output.rows("author")[0]
    wanted = expected_rows(site.api, "author", days(last=LAST.replace(day=3)))
    assert [row["author_id"] for row in output.rows("author")] == [r["author_id"] for r in wanted]
    logged = [text for text in caplog.messages if "requesting all columns" in text]
    assert len(logged) == 1
    assert not [text for text in caplog.messages if "not in the catalog" in text]


def test_the_company_key_is_in_the_query_and_basic_credentials_in_the_header() -> None:
    for request in all_streams().api.log.requests:
        if "/api/public/" in request.path:
            assert ("companyKey", COMPANY_KEY) in request.query
            assert request.headers["authorization"].startswith("Basic ")
            assert COMPANY_KEY.encode() not in request.body
