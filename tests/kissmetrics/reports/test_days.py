"""Spans of windows in every zone of the time zone database: no gap, no overlap, none reversed."""

from __future__ import annotations

import json
from datetime import date, timedelta, timezone
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sandbox.exchange import json_response
from tap_kissmetrics.client import utc_time
from tap_kissmetrics.reports.days import begin_of, span_of
from tap_kit import DayRange, Window

from tests.kissmetrics.canned import PRODUCT, REPORT, STATUS, Canned

if TYPE_CHECKING:
    from sandbox.exchange import Request

ZONES = sorted(available_timezones() - {"localtime"})
SECOND = timedelta(seconds=1)


@given(
    name=st.sampled_from(ZONES),
    first=st.dates(date(1850, 1, 1), date(2060, 1, 1)),
    days=st.integers(1, 400),
    count=st.integers(1, 5),
)
@example(name="Pacific/Apia", first=date(2011, 12, 29), days=1, count=4)
@example(name="Pacific/Kwajalein", first=date(1993, 8, 20), days=1, count=3)
@example(name="Pacific/Fakaofo", first=date(2011, 12, 29), days=1, count=4)
@example(name="Pacific/Enderbury", first=date(1994, 12, 30), days=1, count=4)
@example(name="America/Sao_Paulo", first=date(2018, 11, 3), days=1, count=3)
@example(name="America/Juneau", first=date(1867, 10, 17), days=1, count=4)
@example(name="Asia/Manila", first=date(1844, 12, 30), days=1, count=4)
def test_spans_touch_each_other_and_never_end_before_they_begin(
    name: str, first: date, days: int, count: int
) -> None:
    zone = ZoneInfo(name)
    windows = DayRange(first, first + timedelta(days=days * count - 1), days).windows(None)
    spans = [span for window in windows if (span := span_of(window, zone)) is not None]
    moments = [(b.astimezone(timezone.utc), e.astimezone(timezone.utc)) for b, e in spans]
    assert all(begin <= end for begin, end in moments)
    assert all(before[1] + SECOND == after[0] for before, after in pairwise(moments))
    begin, after = begin_of(first, zone), begin_of(windows[-1].last + timedelta(days=1), zone)
    if moments:
        assert moments[0][0] == begin.astimezone(timezone.utc)
        assert moments[-1][1] + SECOND == after.astimezone(timezone.utc)


@given(name=st.sampled_from(ZONES), day=st.dates(date(1850, 1, 1), date(2060, 1, 1)))
@example(name="America/Sao_Paulo", day=date(2018, 11, 4))
@example(name="Pacific/Apia", day=date(2011, 12, 31))
def test_bookmark_leads_back_to_its_day(name: str, day: date) -> None:
    zone = ZoneInfo(name)
    if span_of(Window(day, day), zone) is not None:
        stored = begin_of(day, zone).astimezone(timezone.utc).isoformat()
        assert utc_time(stored).astimezone(zone).date() == day


@pytest.mark.parametrize(
    ("zone", "gone"), [("Pacific/Apia", "2011-12-30"), ("Pacific/Kwajalein", "1993-08-21")]
)
def test_day_that_does_not_exist_is_left_out_and_the_bookmark_moves_on(
    zone: str, gone: str
) -> None:
    day = date.fromisoformat(gone)
    bodies: list[dict[str, Any]] = []

    def run(request: Request) -> Any:
        bodies.append(json.loads(request.body))
        return json_response({}, 202, (("location", STATUS),))

    responses = {
        "/core/products": [{**PRODUCT, "timezone": zone}],
        "/core/reports": [REPORT],
        "/v2/products/p1/reports/r1/run": run,
        "/v2/queries/q1/results": [[1, "a@x", 2]],
    }
    settings: dict[str, Any] = {
        "start_date": (day - timedelta(days=1)).isoformat(),
        "end_date": (day + timedelta(days=2)).isoformat(),
    }
    with Canned(responses) as server:
        output = server.sync("report_results", max_concurrency=1, **settings)
    assert len(output.rows("report_results")) == 3
    assert [body["start_date"][:10] for body in bodies] == [
        (day + timedelta(days=days)).isoformat() for days in (-1, 1, 2)
    ]
    (part,) = output.state["bookmarks"]["report_results"]["partitions"]
    last = begin_of(day + timedelta(days=2), ZoneInfo(zone)).astimezone(timezone.utc)
    assert part["replication_key_value"] == last.isoformat()
