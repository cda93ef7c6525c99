"""The parameters of a start: window, interval, locale, filters, columns."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from tests.khoros_analytics.expected import days, expected_rows, midnight, window_rows
from tests.khoros_analytics.site import (
    ONE_DAY,
    catalog_of,
    deselected,
)
from tests.khoros_analytics.without_catalog import run_without_catalog

if TYPE_CHECKING:
    from tests.khoros_analytics.conftest import Serve
    from tests.khoros_analytics.site import Site


def test_times_are_epoch_milliseconds_and_windows_are_contiguous(
    site: Site,
) -> None:
    site.sync("author", end_date="2024-02-03")
    windows = sorted((p["startTime"], p["endTime"]) for p in site.requested("report/author"))
    assert windows == [
        ("1706745600000", "1706832000000"),
        ("1706832000000", "1706918400000"),
        ("1706918400000", "1707004800000"),
    ]


def test_time_zone_locale_and_format_are_sent(site: Site) -> None:
    site.sync("author", "user", "raw_brand_posts", timezone="America/Chicago", locale="en_US")
    for export, has_zone in (("author", True), ("user", False), ("raw_brand_posts", False)):
        for params in site.requested(f"/{export}"):
            assert params["locale"] == "en_US"
            assert params["reportFormat"] == "json"
            assert params.get("timezone") == ("America/Chicago" if has_zone else None)


@pytest.mark.parametrize(("interval", "jobs"), [(300_000, 10), (3_600_000, 1), (86_400_000, 1)])
def test_windows_are_split_to_keep_the_vendors_limit_of_intervals(
    serve: Serve, interval: int, jobs: int
) -> None:
    site = serve(rows_per_day={"team_performance_interval": 3})
    output = site.sync("team_performance_interval", time_interval=interval, **ONE_DAY)
    assert len(site.starts) == jobs
    rows = output.rows("team_performance_interval")
    site.api.max_buckets = 10_000
    wanted = window_rows(
        site.api,
        "team_performance_interval",
        midnight(days()[0]),
        midnight(date(2024, 2, 2)),
        timeInterval=str(interval),
    )
    own = {"row_id", "window_start", "window_end"}
    assert [{k: v for k, v in row.items() if k not in own} for row in rows] == [
        {k: v for k, v in row.items() if k not in own} for row in wanted
    ]
    assert len({row["row_id"] for row in rows}) == len(rows)
    assert rows[0]["window_start"] == "2024-02-01T00:00:00+00:00"
    assert rows[-1]["window_end"] == "2024-02-02T00:00:00+00:00"


def test_no_end_in_the_future_is_requested(serve: Serve) -> None:
    site = serve(now=None)
    now = datetime.now(timezone.utc)
    today = now.date().isoformat()
    site.sync("team_performance_interval", start_date=today, end_date=None, time_interval=300_000)
    ends = [int(p["endTime"]) for p in site.requested("report/team_performance_interval")]
    assert max(ends) <= datetime.now(timezone.utc).timestamp() * 1000
    assert len(ends) == (now.hour * 60 + now.minute) // 155 + 1


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
def test_filters_are_sent_and_select_the_rows(
    serve: Serve, export: str, filters: dict[str, Any], sent: dict[str, Any]
) -> None:
    site = serve(rows_per_day=30)
    output = site.sync(export, exports={export: {"filters": filters}}, **ONE_DAY)
    for params in site.requested(f"report/{export}"):
        assert sent.items() <= params.items()
        assert "timezone" not in params or "timezoneOffset" not in filters
    assert output.rows(export) == expected_rows(site.api, export, days()[:1], **sent)
    assert output.rows(export) != []


def test_agents_and_teams_of_users_are_repeated_parameters(site: Site) -> None:
    filters = {"agentId": ["70001", "70004"], "teamId": [301]}
    output = site.sync("user", exports={"user": {"filters": filters}}, **ONE_DAY)
    (params,) = site.requested("report/user")
    assert params["agentId"] == ["70001", "70004"]
    assert params["teamId"] == "301"
    assert [row["agent_id"] for row in output.rows("user")] == ["70001", "70004"]


def test_no_columns_are_sent_when_all_are_selected(site: Site) -> None:
    site.sync(**ONE_DAY)
    assert not [params for params in site.requested("/report/") if "reportMetrics" in params]


@pytest.mark.parametrize("report_format", ["json", "csv"])
def test_deselected_columns_are_not_requested(site: Site, report_format: str) -> None:
    catalog = deselected(catalog_of("author"), "author", "author_name", "manual_tag")
    output = site.sync(catalog=catalog, report_format=report_format, **ONE_DAY)
    (params,) = site.requested("report/author")
    left = ["author_id", "author_handle", "author_language", "author_followers"]
    assert params["reportMetrics"] == [
        *(name.upper() for name in left),
        "AUTHOR_LAST_SEEN",
        "POST_PROVIDER",
    ]
    for row in output.rows("author"):
        assert {"author_name", "manual_tag"}.isdisjoint(row)
        assert {*left, "row_id", "window_start", "window_end"} < row.keys()


def test_configured_columns_are_requested_as_they_are_written() -> None:
    """The vendor's sample of this export has column names in lower case."""
    site, _, output = run_without_catalog()
    (params,) = site.requested("report/raw_agent_states")
    assert params["reportMetrics"] == ["agent_name", "AGENT_ID", "STATE_COLOR"]
    assert {*output.rows("raw_agent_states")[0]} == {
        *("agent_name", "agent_id", "state_color", "row_id", "window_start", "window_end")
    }


def test_a_disabled_column_can_be_configured() -> None:
    rows = run_without_catalog().output.rows("author")
    assert rows[0]["author_email"].startswith("customer+")
