"""How exports are started: method, place of the parameters, filters, chosen columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault
from tap_khoros_analytics.exports.definitions import EXPORTS

from tests.khoros_analytics.expected import days, expected_rows
from tests.khoros_analytics.site import (
    COMPANY_KEY,
    LAST,
    STREAMS,
    bookmark,
    catalog_of,
    deselected,
    fields_of,
)

if TYPE_CHECKING:
    from sandbox.requestlog import LoggedRequest

    from tests.khoros_analytics.conftest import Serve
    from tests.khoros_analytics.site import Site

ONE_DAY: dict[str, Any] = {"end_date": "2024-02-01"}
DOCUMENTED = dict.fromkeys(EXPORTS, "POST") | {"user": "GET", "conversation_actions": "GET"}


def creations(site: Site, export: str) -> list[LoggedRequest]:
    """The requests that were to start an export."""
    return [
        r for r in site.api.log.requests if r.path.endswith((f"report/{export}", f"g/{export}"))
    ]


def test_each_export_is_started_as_the_vendors_specification_says(site: Site) -> None:
    site.sync(*STREAMS, **ONE_DAY)
    for export, method in DOCUMENTED.items():
        for request in creations(site, export):
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
    assert "/marketing/raw_brand_posts" in creations(site, "raw_brand_posts")[0].path


@pytest.mark.parametrize(("export", "method"), [("user", "POST"), ("conversation_actions", "POST")])
def test_a_setting_overrides_the_method(site: Site, export: str, method: str) -> None:
    output = site.sync(export, exports={export: {"method": method}}, **ONE_DAY)
    (request,) = creations(site, export)
    assert request.method == method
    assert [name for name, _ in request.query] == ["companyKey"]
    assert b"startTime" in request.body
    assert output.rows(export) == expected_rows(site.api, export, days()[:1])


@pytest.mark.parametrize("status", [404, 405, 415])
@pytest.mark.parametrize("export", ["author", "user"])
def test_a_method_that_is_refused_is_tried_the_other_way_once_and_remembered(
    serve: Serve, status: int, export: str
) -> None:
    other = "GET" if DOCUMENTED[export] == "POST" else "POST"
    site = serve(wrong_method_status=status, methods={export: [other]})
    output = site.sync(export, max_concurrency=1, end_date="2024-02-05")
    methods = [request.method for request in creations(site, export)]
    assert methods == [DOCUMENTED[export], *[other] * 5]
    assert len(output.rows(export)) >= 40


def test_what_discovery_learned_of_a_method_the_run_knows(serve: Serve) -> None:
    site = serve(methods={"author": ["GET"]})
    tap = site.tap(max_concurrency=1)
    assert [request.method for request in creations(site, "author")] == ["POST", "GET"]
    assert tap.tenant.start_rules.methods == {"author": "GET"}


def test_a_form_that_is_refused_is_tried_as_json(serve: Serve) -> None:
    """The specification declares a JSON body, the vendor's samples send a form."""
    site = serve(body_types=["json"])
    output = site.sync("conversation_history_action", max_concurrency=1)
    kinds = [r.headers["content-type"] for r in creations(site, "conversation_history_action")]
    assert kinds == ["application/x-www-form-urlencoded", "application/json", "application/json"]
    assert output.rows("conversation_history_action") == expected_rows(
        site.api, "conversation_history_action", days()
    )


def test_an_export_that_the_tenant_does_not_have_is_a_warning(serve: Serve) -> None:
    site = serve(has_brand_posts=False)
    ended = site.execute(catalog=catalog_of("raw_brand_posts", "author"), **ONE_DAY)
    assert ended.code == 0
    (told,) = [text for text in ended.warnings if text.startswith("raw_brand_posts")]
    assert "404" in told
    assert len(ended.output.rows("author")) == 9
    assert bookmark(ended.output.state, "raw_brand_posts") is None


def test_an_export_that_the_user_may_not_read_is_a_warning(site: Site) -> None:
    site.api.faults.append(Fault("status", status=403, path="report/author"))
    ended = site.execute(catalog=catalog_of("combined", "author"), **ONE_DAY)
    assert ended.code == 0
    assert [text for text in ended.warnings if "author" in text and "403" in text]
    assert len(ended.output.rows("combined")) == 9


FILTERS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("author", {"priorities": [1, 3]}, {"priorities": "1,3"}),
    ("combined", {"priorities": "0,5"}, {"priorities": "0,5"}),
    ("incoming_post", {"smartViewId": 11}, {"smartViewId": "11"}),
    ("response", {"workqueueIds": [101, 103]}, {"workqueueIds": "101,103"}),
    ("raw_expert_help", {"enableBusinessHour": True}, {"enableBusinessHour": "true"}),
    (
        "raw_expert_help",
        {"enableBusinessHour": True, "businessHourType": False},
        {"enableBusinessHour": "true", "businessHourType": "false"},
    ),
    ("raw_agent_states", {"teamIds": [301, 302]}, {"teamIds": "301,302"}),
    ("response_approval", {"includeDisabled": True}, {"includeDisabled": "true"}),
    ("team_performance", {"teamIds": "303"}, {"teamIds": "303"}),
    ("conversation", {"priorities": 2}, {"priorities": "2"}),
    ("author", {"timezoneOffset": 3600000}, {"timezoneOffset": "3600000"}),
]


@pytest.mark.parametrize(("export", "filters", "sent"), FILTERS, ids=str)
def test_filters_are_sent_and_the_rows_are_those_of_the_filter(
    serve: Serve, export: str, filters: dict[str, Any], sent: dict[str, Any]
) -> None:
    site = serve(rows_per_day=30)
    output = site.sync(export, exports={export: {"filters": filters}}, **ONE_DAY)
    for params in site.asked(f"report/{export}"):
        assert sent.items() <= params.items()
        assert "timezone" not in params or "timezoneOffset" not in filters
    assert output.rows(export) == expected_rows(site.api, export, days()[:1], **sent)
    assert output.rows(export) != []


def test_agents_and_teams_of_the_users_are_repeated_parameters(site: Site) -> None:
    filters = {"agentId": ["70001", "70004"], "teamId": [301]}
    output = site.sync("user", exports={"user": {"filters": filters}}, **ONE_DAY)
    (params,) = site.asked("report/user")
    assert params["agentId"] == ["70001", "70004"]
    assert params["teamId"] == "301"
    assert [row["agent_id"] for row in output.rows("user")] == ["70001", "70004"]


def test_no_column_is_named_when_all_are_wanted(site: Site) -> None:
    site.sync()
    assert not [params for params in site.asked("/report/") if "reportMetrics" in params]


@pytest.mark.parametrize("report_format", ["json", "csv"])
def test_deselected_columns_are_not_asked_for(site: Site, report_format: str) -> None:
    catalog = deselected(catalog_of("author"), "author", "author_name", "manual_tag")
    output = site.sync(catalog=catalog, report_format=report_format, **ONE_DAY)
    (params,) = site.asked("report/author")
    left = ["author_id", "author_handle", "author_language", "author_followers"]
    assert params["reportMetrics"] == [
        *(name.upper() for name in left),
        "AUTHOR_LAST_SEEN",
        "POST_PROVIDER",
    ]
    for row in output.rows("author"):
        assert {"author_name", "manual_tag"}.isdisjoint(row)
        assert {*left, "row_id", "window_start", "window_end"} < row.keys()


def test_chosen_columns_are_asked_for_as_they_are_written(site: Site) -> None:
    """The vendor's own sample of this export names its columns in lower case."""
    options = {"columns": ["agent_name", "AGENT_ID", "STATE_COLOR"]}
    output = site.sync_without_catalog(exports={"raw_agent_states": options}, **ONE_DAY)
    (params,) = site.asked("report/raw_agent_states")
    assert params["reportMetrics"] == ["agent_name", "AGENT_ID", "STATE_COLOR"]
    assert {*output.rows("raw_agent_states")[0]} == {
        *("agent_name", "agent_id", "state_color", "row_id", "window_start", "window_end")
    }


def test_a_disabled_column_comes_when_it_is_chosen(site: Site) -> None:
    exports = {"author": {"columns": ["AUTHOR_ID", "AUTHOR_EMAIL"]}}
    rows = site.sync_without_catalog(exports=exports, **ONE_DAY).rows("author")
    assert rows[0]["author_email"].startswith("customer+")


def test_when_the_server_refuses_chosen_columns_all_are_asked_for(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.api.faults.append(Fault("status", status=400, path="reportMetrics"))
    catalog = deselected(catalog_of("author"), "author", "author_name")
    output = site.sync(catalog=catalog, max_concurrency=1, end_date="2024-02-03")
    assert ["reportMetrics" in params for params in site.asked("report/author")] == [
        *(True, False, False, False)
    ]
    assert "author_name" not in output.rows("author")[0]
    wanted = expected_rows(site.api, "author", days(last=LAST.replace(day=3)))
    assert [row["author_id"] for row in output.rows("author")] == [r["author_id"] for r in wanted]
    told = [text for text in caplog.messages if "chosen columns" in text]
    assert len(told) == 1
    assert not [text for text in caplog.messages if "does not know" in text]


def test_the_company_key_is_in_the_query_and_basic_credentials_in_the_header(site: Site) -> None:
    site.sync(**ONE_DAY)
    for request in site.api.log.requests:
        if "/api/public/" in request.path:
            assert ("companyKey", COMPANY_KEY) in request.query
            assert request.headers["authorization"].startswith("Basic ")
            assert COMPANY_KEY.encode() not in request.body


def test_fields_that_only_json_has_are_not_missed_in_csv(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    catalog = catalog_of("user")
    assert "total_mobile_time_millis" in fields_of(catalog, "user")
    output = site.sync(catalog=catalog, report_format="csv", **ONE_DAY)
    assert {row["total_mobile_time_millis"] for row in output.rows("user")} == {None}
    assert {row["agent_name"] for row in output.rows("user")} > {"Ada Lindqvist"}
    assert not [text for text in caplog.messages if "no column" in text]
