"""The report types of the conversations."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from tap_kit.errors import SyncFailed

from tests.khoros_analytics.expected import REPORT_TYPES, days, midnight, window_rows
from tests.khoros_analytics.site import bookmark
from tests.singer import Loader

if TYPE_CHECKING:
    from tests.khoros_analytics.conftest import Serve
    from tests.khoros_analytics.site import Site


def test_conversations_have_three_report_types_with_a_bookmark_each(site: Site) -> None:
    output = site.sync("conversation")
    counts = Counter(row["conversation_report_type"] for row in output.rows("conversation"))
    assert {*counts} == {*REPORT_TYPES}
    for kind in REPORT_TYPES:
        assert bookmark(output.state, "conversation", kind) == "2024-02-03T00:00:00+00:00"
    requested = Counter(
        params["conversationReportType"] for params in site.requested("report/conversation")
    )
    assert requested == dict.fromkeys(REPORT_TYPES, 2)


def test_a_report_type_added_later_is_read_from_the_start_date(site: Site) -> None:
    state = site.sync("conversation", conversation_report_types=["CLOSED"]).state
    site.api.log.clear()
    site.sync("conversation", state=state)
    requested = Counter(
        params["conversationReportType"] for params in site.requested("report/conversation")
    )
    assert requested == {"CREATED": 2, "OPEN_AT_END": 2}


def test_a_failed_report_type_does_not_stop_the_others(serve: Serve) -> None:
    site = serve(failing_runs={"conversation": 2})  # the first job and its repetition
    output, error = site.failing_sync(SyncFailed, "conversation", max_concurrency=1)
    assert "conversation_report_type CREATED, 2024-02-01" in str(error)
    assert bookmark(output.state, "conversation", "CREATED") is None
    assert bookmark(output.state, "conversation", "CLOSED") == "2024-02-03T00:00:00+00:00"


@pytest.mark.parametrize("order", [REPORT_TYPES, REPORT_TYPES[::-1]], ids=str)
def test_a_target_keeps_the_last_status_of_a_conversation(serve: Serve, order: Any) -> None:
    """A conversation that is open one day and closed later is closed, in any order of types."""
    site = serve(rows_per_day=60)
    loader = Loader()
    settings: dict[str, Any] = {"conversation_report_types": [*order]}
    loader.load(site.sync("conversation", end_date="2024-02-03", **settings))
    end = midnight(date(2024, 2, 4))
    for kind, status in (("OPEN_AT_END", "OPEN"), ("CLOSED", "CLOSED")):
        rows = window_rows(
            site.api, "conversation", midnight(days()[0]), end, conversationReportType=kind
        )
        assert len(rows) > 50
        for row in rows:
            kept = loader.content["conversation"][row["conversation_id"],]
            assert kept["status"] == status
            assert kept["conversation_report_type"] == kind
