"""The days that a run reads, and its windows."""

import time
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_kit.flow.windows import DayRange, Window, Windows, parse_day

START, END = date(2024, 1, 1), date(2024, 1, 31)
DAYS = st.dates(date(2000, 1, 1), date(2040, 12, 31))
NEAR = st.integers(-400, 400).map(timedelta)
SIZES = st.integers(1, 40)


def day(number: int) -> date:
    """Return a day of January 2024; 0 and less are in 2023."""
    return START + timedelta(days=number - 1)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (1, [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]),
        (2, [(1, 2), (3, 4), (5, 5)]),
        (3, [(1, 3), (4, 5)]),
        (5, [(1, 5)]),
        (366, [(1, 5)]),
    ],
)
def test_windows_cover_the_days_and_the_last_is_cut(
    days: int, expected: list[tuple[int, int]]
) -> None:
    windows = Windows(day(1), day(5), days)
    assert list(windows) == [Window(day(first), day(last)) for first, last in expected]
    assert len(windows) == len(expected)


@pytest.mark.parametrize("days", [1, 2, 7])
def test_there_is_no_window_when_first_is_after_last(days: int) -> None:
    windows = Windows(day(5), day(4), days)
    assert (len(windows), list(windows), windows[:]) == (0, [], [])
    with pytest.raises(IndexError):
        _ = windows[0]


@given(first=DAYS, span=st.integers(-50, 900), days=st.integers(1, 366))
def test_windows_have_no_gap_and_no_overlap(first: date, span: int, days: int) -> None:
    last = first + timedelta(days=span - 1)
    windows = list(Windows(first, last, days))
    covered = [
        window.first + timedelta(days=n)
        for window in windows
        for n in range((window.last - window.first).days + 1)
    ]
    assert covered == [first + timedelta(days=n) for n in range(span)]
    assert all((w.last - w.first).days + 1 == days for w in windows[:-1])


@given(first=DAYS, span=st.integers(1, 90), days=SIZES, cut=st.slices(60))
def test_windows_index_and_slice_like_a_list(first: date, span: int, days: int, cut: slice) -> None:
    windows = Windows(first, first + timedelta(days=span - 1), days)
    as_list = list(windows)
    assert [windows[i] for i in range(-len(as_list), 0)] == as_list
    assert windows[cut] == as_list[cut]
    for beyond in (len(as_list), -len(as_list) - 1):
        with pytest.raises(IndexError):
            _ = windows[beyond]


@pytest.mark.parametrize(
    ("bookmark", "lookback", "days", "first"),
    [
        pytest.param(None, 0, 1, 1, id="first run"),
        pytest.param(None, 5, 1, 1, id="first run, lookback"),
        pytest.param(10, 0, 1, 10, id="the bookmarked day is read again"),
        pytest.param(10, 2, 1, 8, id="lookback of two days"),
        pytest.param(2, 5, 1, 1, id="lookback stops at the start"),
        pytest.param(1, 3, 1, 1, id="bookmark at the start"),
        pytest.param(-3, 2, 1, 1, id="bookmark before the start"),
        pytest.param(15, 1, 7, 8, id="lookback of one day is one whole window"),
        pytest.param(15, 7, 7, 8, id="lookback of one window"),
        pytest.param(15, 8, 7, 1, id="lookback of one window and a day is two windows"),
        pytest.param(15, 99, 7, 1, id="lookback beyond the start"),
        pytest.param(13, 99, 7, 6, id="whole windows, counted from the bookmark"),
        pytest.param(31, 0, 1, 31, id="bookmark at the end"),
        pytest.param(45, 0, 1, 31, id="bookmark after the end"),
        pytest.param(45, 2, 1, 29, id="bookmark after the end, lookback"),
        pytest.param(36, 0, 7, 29, id="after the end, in steps from the bookmark"),
        pytest.param(37, 0, 7, 30, id="after the end, in steps from another bookmark"),
        pytest.param(38, 7, 7, 24, id="after the end, in steps, and lookback"),
    ],
)
def test_first_window_follows_from_bookmark_and_lookback(
    bookmark: int | None, lookback: int, days: int, first: int
) -> None:
    day_range = DayRange(START, END, days, lookback)
    windows = day_range.windows(None if bookmark is None else day(bookmark))
    assert windows[0].first == day(first)
    assert windows[-1].last == END


def test_start_date_after_the_bookmark_takes_precedence() -> None:
    assert DayRange(day(20), END).windows(day(10))[0].first == day(20)


def test_there_is_no_window_when_the_start_is_after_the_end() -> None:
    day_range = DayRange(day(20), day(10), lookback=3)
    assert [list(day_range.windows(b)) for b in (None, day(1), day(15), day(25))] == [[]] * 4


def test_bookmark_after_the_end_that_moves_before_the_start_begins_at_the_start() -> None:
    assert list(DayRange(day(10), day(12), 7).windows(day(20))) == [Window(day(10), day(12))]


@given(
    start=DAYS, length=st.integers(0, 300), to_bookmark=NEAR, days=SIZES, back=st.integers(0, 60)
)
def test_resumed_run_is_aligned_and_complete_and_never_before_the_start(
    start: date, length: int, to_bookmark: timedelta, days: int, back: int
) -> None:
    end, bookmark = start + timedelta(days=length), start + to_bookmark
    windows = DayRange(start, end, days, back).windows(bookmark)
    first = windows[0].first
    assert start <= first <= end
    assert windows[-1].last == end
    if bookmark > end:
        # The windows after the end were read before, so the lookback counts from the end.
        steps = -(-(bookmark - end).days // days)
        bookmark -= timedelta(days=steps * days)
    if bookmark >= start:
        assert (bookmark - first).days % days == 0
        enough = first <= bookmark - timedelta(days=back)
        assert enough or (first - start).days < days
        assert (bookmark - first).days < back + days


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-31", date(2024, 1, 31)),
        ("2024-02-29", date(2024, 2, 29)),
        ("2024-01-31T00:00:00", date(2024, 1, 31)),
        ("2024-01-31T23:59:59.999999", date(2024, 1, 31)),
        ("2024-01-31T23:59:59+00:00", date(2024, 1, 31)),
        ("2024-01-31T00:30:00+01:00", date(2024, 1, 30)),
        ("2024-01-31T23:30:00-01:00", date(2024, 2, 1)),
        ("2024-01-31 12:00:00", date(2024, 1, 31)),
        ("2024-01-31T00:00:00Z", date(2024, 1, 31)),
        ("2024-01-31T00:00:00.000Z", date(2024, 1, 31)),
    ],
)
def test_parse_day_returns_the_utc_day(text: str, expected: date) -> None:
    assert parse_day(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2024-13-01",
        "2023-02-29",
        "2024-1-3",
        "31.01.2024",
        "6 months ago",
        "yesterday",
        "",
        " 2024-01-31",
        "2024-01-31T25:00:00",
        "2024-01-31T00:00:00+25:00",
        "0001-01-01T00:00:00+05:00",
        "9999-12-31T23:00:00-05:00",
        "1704067200",
    ],
)
def test_parse_day_rejects_other_texts(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (the message is not shown)
        parse_day(text)


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
def test_parse_day_does_not_depend_on_the_local_time_zone(
    zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        found = [parse_day(f"2024-01-31T{hour}:30:00") for hour in ("00", "23")]
        found.append(parse_day("2024-01-31T23:30:00Z"))
    time.tzset()
    assert found == [date(2024, 1, 31)] * 3


@given(moment=st.datetimes(timezones=st.timezones()))
def test_parse_day_of_any_moment_is_a_day_near_it_or_a_value_error(moment: object) -> None:
    try:
        found = parse_day(str(moment))
    except ValueError:
        return
    assert abs((found - date.fromisoformat(str(moment)[:10])).days) <= 1
