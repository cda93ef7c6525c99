"""What rows mean: report types, intervals, limits."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from tap_khoros_analytics.exports.action_limit import ActionLimit
from tap_kit.errors import SyncFailed

from tests.khoros_analytics.expected import REPORT_TYPES, days, midnight, window_rows
from tests.khoros_analytics.site import all_jobs, bookmark, catalog_of, deselected
from tests.singer import Loader

if TYPE_CHECKING:
    from tests.khoros_analytics.conftest import Serve
    from tests.khoros_analytics.site import Site

ONE_DAY: dict[str, Any] = {"end_date": "2024-02-01"}


def test_conversations_come_in_three_report_types_with_a_state_for_each(site: Site) -> None:
    output = site.sync("conversation")
    counts = Counter(row["conversation_report_type"] for row in output.rows("conversation"))
    assert {*counts} == {*REPORT_TYPES}
    for kind in REPORT_TYPES:
        assert bookmark(output.state, "conversation", kind) == "2024-02-03T00:00:00+00:00"
    asked = Counter(
        params["conversationReportType"] for params in site.asked("report/conversation")
    )
    assert asked == dict.fromkeys(REPORT_TYPES, 2)


def test_a_report_type_that_is_added_later_is_read_from_the_start(site: Site) -> None:
    state = site.sync("conversation", conversation_report_types=["CLOSED"]).state
    site.api.log.clear()
    site.sync("conversation", state=state)
    asked = Counter(
        params["conversationReportType"] for params in site.asked("report/conversation")
    )
    assert asked == {"CREATED": 2, "OPEN_AT_END": 2}


def test_one_report_type_that_fails_does_not_hold_the_others(serve: Serve) -> None:
    site = serve(failing_runs={"conversation": 2})  # the first job, and its second start
    output, error = site.failing_sync(SyncFailed, "conversation", max_concurrency=1)
    assert "conversation_report_type CREATED, 2024-02-01" in str(error)
    assert bookmark(output.state, "conversation", "CREATED") is None
    assert bookmark(output.state, "conversation", "CLOSED") == "2024-02-03T00:00:00+00:00"


@pytest.mark.parametrize("order", [REPORT_TYPES, REPORT_TYPES[::-1]], ids=str)
def test_what_is_left_of_a_conversation_is_its_last_state(serve: Serve, order: Any) -> None:
    """What was open on one day and closed on another is closed, whatever order is set."""
    site = serve(rows_per_day=60)
    loader = Loader()
    settings: dict[str, Any] = {"conversation_report_types": [*order]}
    loader.load(site.sync("conversation", end_date="2024-02-06", **settings))
    end = midnight(date(2024, 2, 7))
    for kind, status in (("OPEN_AT_END", "OPEN"), ("CLOSED", "CLOSED")):
        rows = window_rows(
            site.api, "conversation", midnight(days()[0]), end, conversationReportType=kind
        )
        assert len(rows) > 50
        for row in rows:
            mine = loader.content["conversation"][row["conversation_id"],]
            assert mine["status"] == status
            assert mine["conversation_report_type"] == kind


@pytest.mark.parametrize(("interval", "jobs"), [(300_000, 10), (3_600_000, 1), (86_400_000, 1)])
def test_windows_are_split_so_that_the_vendors_limit_of_intervals_holds(
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
    ours = {"row_id", "window_start", "window_end"}
    assert [{k: v for k, v in row.items() if k not in ours} for row in rows] == [
        {k: v for k, v in row.items() if k not in ours} for row in wanted
    ]
    assert len({row["row_id"] for row in rows}) == len(rows)
    assert rows[0]["window_start"] == "2024-02-01T00:00:00+00:00"
    assert rows[-1]["window_end"] == "2024-02-02T00:00:00+00:00"


def test_the_parts_of_a_window_are_not_mistaken_for_each_other_after_a_stop(serve: Serve) -> None:
    """Each part has a job of its own in the state; all of one day once had the same name."""
    site = serve(job_seconds=60, attach="never")
    settings: dict[str, Any] = {"time_interval": 300_000, "max_concurrency": 14, **ONE_DAY}
    stream = "team_performance_interval"
    output, _ = site.failing_sync(SyncFailed, stream, poll_timeout=1, **settings)
    assert len(all_jobs(output.state)) == 10
    site.api.job_seconds = 0
    again = site.sync(stream, state=output.state, **settings)
    assert {*site.starts.values()} == {1}
    assert again.rows(stream) == site.sync(stream, **settings).rows(stream)
    assert all_jobs(again.state) == {}


def test_of_today_only_what_has_happened_is_asked_for(serve: Serve) -> None:
    site = serve(now=None)
    now = datetime.now(timezone.utc)
    today = now.date().isoformat()
    site.sync("team_performance_interval", start_date=today, end_date=None, time_interval=300_000)
    ends = [int(p["endTime"]) for p in site.asked("report/team_performance_interval")]
    assert max(ends) <= datetime.now(timezone.utc).timestamp() * 1000
    assert len(ends) == (now.hour * 60 + now.minute) // 155 + 1


def test_aggregates_of_two_windows_are_two_rows(site: Site) -> None:
    """Also when an agent did the same on both days."""
    for stream in ("team_performance", "user"):
        rows = site.sync(stream).rows(stream)
        assert len(rows) == len({row["row_id"] for row in rows}) == 20
        assert len({row["agent_id"] for row in rows}) == 10


def test_actions_are_asked_for_up_to_the_raised_limit(serve: Serve) -> None:
    site = serve(long_actions=1999)
    output = site.sync("conversation_history_action", **ONE_DAY)
    (params,) = site.asked("report/conversation_history_action")
    assert params["raiselimit"] == "true"
    assert len(output.rows("conversation_history_action")) == 1999 + 9


@pytest.mark.parametrize(("actions", "told"), [(1999, 0), (2000, 1), (2600, 1)])
@pytest.mark.parametrize("report_format", ["json", "csv"])
def test_a_conversation_with_exactly_the_limit_is_told(
    serve: Serve,
    actions: int,
    told: int,
    report_format: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    site = serve(long_actions=actions)
    site.sync("conversation_history_action", report_format=report_format, **ONE_DAY)
    warnings = [text for text in caplog.messages if "the vendor's limit" in text]
    assert len(warnings) == told
    if told:
        assert "197549999000 has exactly 2000 actions" in warnings[0]


def test_without_the_conversations_id_nothing_is_counted(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    stream = "conversation_history_action"
    catalog = deselected(catalog_of(stream), stream, "conversation_id")
    serve(long_actions=2600).sync(catalog=catalog, **ONE_DAY)
    assert "the vendor's limit" not in caplog.text


def test_the_count_of_actions_takes_no_null_for_a_conversation() -> None:
    limit = ActionLimit()
    limit.count([None] * 3000)
    limit.count(["a", "b"] * 2000)
    assert limit.reached == ["a", "b"]
