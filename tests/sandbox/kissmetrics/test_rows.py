"""The rows of a report's window: days of the product, and the same rows in every page."""

from collections import Counter
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from sandbox.kissmetrics import Data, FieldRules, RunRules, Sizes

from tests.sandbox.kissmetrics.client import DAY, Serve

NOW = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
SIGNED_UP, LAST, PLAN = 2, 3, 4


def data_of(now: datetime | None = NOW, **sizes: Any) -> Data:
    return Data(Sizes(**sizes), FieldRules(), now)


def first_report(data: Data) -> str:
    return data.ids("reports")[0]


@pytest.mark.parametrize(
    ("day", "window"),
    [
        (date(2026, 1, 5), ("2026-01-05T00:00:00-08:00", "2026-01-05T23:59:59-08:00")),
        (date(2026, 3, 8), ("2026-03-08T00:00:00-08:00", "2026-03-08T23:59:59-07:00")),
        (date(2026, 11, 1), ("2026-11-01T00:00:00-07:00", "2026-11-01T23:59:59-08:00")),
    ],
)
def test_days_are_in_the_time_zone_of_the_product(day: date, window: tuple[str, str]) -> None:
    data = data_of()
    assert data.day_window(first_report(data), day) == window
    times = [row[LAST] for row in data.day_rows(first_report(data), day) if row[LAST]]
    assert {text[:10] for text in times} == {day.isoformat()}
    assert min(times)[11:] == "00:00:00"
    assert max(times)[11:] == "23:59:59"


def test_days_of_another_zone_have_other_rows() -> None:
    data = data_of()
    report = first_report(data)
    utc = data.rows(report, "2026-03-04T00:00:00Z", "2026-03-04T23:59:59Z")
    assert utc != data.day_rows(report, DAY)
    assert {row[LAST][:10] for row in utc if row[LAST]} == {"2026-03-03", "2026-03-04"}


def test_a_window_includes_both_ends() -> None:
    data = data_of()
    report = first_report(data)
    begin, last = data.day_window(report, DAY)
    at_begin, at_last = data.rows(report, begin, begin), data.rows(report, last, last)
    assert len(at_begin) == len(at_last) == 1
    whole = data.day_rows(report, DAY)
    longer = data.rows(report, begin, "2026-03-05T00:00:00-08:00")
    assert len(longer) == len(whole) + 1
    assert len(data.rows(report, begin, "2026-03-04T23:59:58-08:00")) == len(whole) - 1


def test_a_person_has_one_row_in_a_longer_window() -> None:
    data = data_of()
    report = first_report(data)
    first, second = (data.day_rows(report, DAY + timedelta(days=n)) for n in range(2))
    begin, _ = data.day_window(report, DAY)
    _, last = data.day_window(report, DAY + timedelta(days=1))
    both = data.rows(report, begin, last)
    people = {tuple(row[:2]) for row in both if not row[1].startswith("alias.")}
    single = [row for row in first + second if not row[1].startswith("alias.")]
    assert people == {tuple(row[:2]) for row in single}
    assert sum(row[SIGNED_UP] for row in both) == sum(row[SIGNED_UP] for row in single)


def test_some_people_have_two_rows_with_different_identities() -> None:
    data = data_of(rows_per_day=100)
    rows = data.day_rows(first_report(data), DAY)
    times = Counter(row[0] for row in rows)
    assert sorted(times.values())[-4:] == [2, 2, 2, 2]
    assert len({tuple(row[:2]) for row in rows}) == len(rows) == 100
    assert any(row[PLAN] is None for row in rows)


def test_reports_of_a_product_share_its_people() -> None:
    data = data_of(report_types=("people_search_v2",))
    one, other = data.ids("reports", data.ids("products")[0])[:2]
    rows = [data.day_rows(report, DAY) for report in (one, other)]
    assert rows[0] != rows[1]
    kmids = [{row[0] for row in found} for found in rows]
    assert kmids[0] & kmids[1]


def test_only_the_first_report_has_rows_every_day() -> None:
    data = data_of()
    days = [DAY + timedelta(days=n) for n in range(40)]
    counts = [[len(data.day_rows(one, day)) for day in days] for one in data.ids("reports")[:2]]
    assert set(counts[0]) == {40}
    assert 0 in counts[1]
    assert len(set(counts[1])) > 5


def test_there_are_no_rows_before_the_product_or_after_now() -> None:
    data = data_of()
    report = first_report(data)
    assert data.day_rows(report, date(2013, 1, 1)) == []
    assert data.day_rows(report, date(2026, 11, 21)) == []
    today = data.day_rows(report, date(2026, 11, 20))
    assert 0 < len(today) < 40
    data.now = NOW + timedelta(days=2)
    assert len(data.day_rows(report, date(2026, 11, 20))) == 40


def test_late_rows_appear_when_they_are_known() -> None:
    data = data_of(late_hours=10)
    report, day = first_report(data), date(2026, 11, 19)  # ended 08:00 UTC
    counts = []
    for hours in (0, 5, 6):
        data.now = NOW + timedelta(hours=hours)
        counts.append(len(data.day_rows(report, day)))
    assert counts[0] < counts[1] < counts[2] == 40


def test_a_started_query_does_not_include_later_rows(serve: Serve) -> None:
    client = serve(run_rules=RunRules(polls=0))
    report, today = first_report(client.api.data), date(2026, 11, 20)
    before = client.api.data.day_rows(report, today)
    url = client.results(report, today)
    client.api.data.now = NOW + timedelta(days=1)
    assert client.records(url) == before


def test_the_clock_follows_the_real_time_by_default() -> None:
    data = data_of(now=None)
    assert abs(data.now - datetime.now(timezone.utc)) < timedelta(seconds=10)
    data.now = datetime(2026, 1, 1)  # noqa: DTZ001
    assert data.now.tzinfo is timezone.utc


def test_an_unknown_zone_counts_as_utc() -> None:
    data = data_of(timezones=("Pacific Time (US & Canada)", "../etc", ""))
    for report in data.ids("reports")[:3]:
        assert data.day_window(report, DAY)[0] == "2026-03-04T00:00:00+00:00"


def test_a_report_can_be_empty_and_rows_can_have_no_columns() -> None:
    empty = data_of(rows_per_day=0)
    assert empty.day_rows(first_report(empty), DAY) == []
    narrow = data_of(columns=0)
    assert {len(row) for row in narrow.day_rows(first_report(narrow), DAY)} == {2}
    assert narrow.labels == ["KMID", "Person"]


def test_invalid_arguments_raise_errors() -> None:
    data = data_of()
    with pytest.raises(ValueError, match="ISO 8601"):
        data.rows(first_report(data), "2026-01-01", "2026-01-02")
    with pytest.raises(KeyError):
        data.records("events", "no such product")


def test_another_seed_gives_other_rows() -> None:
    one, other = data_of(), data_of(seed="another")
    assert one.day_rows(first_report(one), DAY) != other.day_rows(first_report(other), DAY)


def test_fifty_thousand_rows_arrive_in_pages(serve: Serve) -> None:
    client = serve(sizes=Sizes(rows_per_day=50_000))
    report = first_report(client.api.data)
    url = client.results(report)
    rows = client.records(url, limit=5000)
    assert len(rows) == 50_000
    assert rows[-1] == client.api.data.day_rows(report, DAY)[-1]
