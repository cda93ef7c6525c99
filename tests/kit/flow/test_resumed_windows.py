"""The windows of successive runs, with any settings and any days between them."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from tap_kit.flow.windows import DayRange

if TYPE_CHECKING:
    from tap_kit.flow.windows import Window

START = date(2024, 1, 1)
LATER = st.lists(st.integers(0, 12), min_size=1, max_size=6)  # days between two runs
SIZES = st.integers(1, 9)
BACK = st.integers(0, 25)


def run_after_run(later: list[int], days: int, back: int) -> list[list[Window]]:
    """Return the windows of successive complete runs, each of which reads up to its day."""
    runs, today, bookmark = [], START, None
    for step in later:
        today += timedelta(days=step)
        runs.append(list(DayRange(START, today, days, back).windows(bookmark)))
        bookmark = runs[-1][-1].first
    return runs


def days_of(windows: list[Window]) -> list[date]:
    """Return the days of windows, in order."""
    return [
        window.first + timedelta(days=n)
        for window in windows
        for n in range((window.last - window.first).days + 1)
    ]


@given(later=LATER, days=SIZES, back=BACK)
def test_every_day_is_read_and_none_twice_in_a_run(later: list[int], days: int, back: int) -> None:
    runs = run_after_run(later, days, back)
    read = {day for run in runs for day in days_of(run)}
    assert read == {START + timedelta(days=n) for n in range(sum(later) + 1)}
    for run in runs:
        assert len(set(days_of(run))) == len(days_of(run))
        assert run == sorted(run)


@given(later=LATER, days=SIZES, back=BACK)
def test_window_that_is_read_again_has_the_same_first_day(
    later: list[int], days: int, back: int
) -> None:
    """Otherwise its rows would be added to the old ones instead of replacing them."""
    for run in run_after_run(later, days, back):
        assert all((window.first - START).days % days == 0 for window in run)
        assert all((window.last - window.first).days == days - 1 for window in run[:-1])


@given(later=LATER, days=SIZES, back=BACK)
def test_lookback_is_read_again_rounded_up_to_whole_windows(
    later: list[int], days: int, back: int
) -> None:
    runs = run_after_run(later, days, back)
    for before, run in pairwise(runs):
        bookmark = before[-1].first
        expected = bookmark - timedelta(days=back)
        assert run[0].first <= max(expected, START)
        assert run[0].first > expected - timedelta(days=days) or run[0].first == START


@given(later=LATER, days=SIZES, back=BACK)
def test_run_does_not_end_before_the_previous_one(later: list[int], days: int, back: int) -> None:
    ends = [run[-1].last for run in run_after_run(later, days, back)]
    assert ends == sorted(ends)
    assert ends[-1] == START + timedelta(days=sum(later))


@given(step=st.integers(0, 12), days=SIZES, changed=SIZES, back=BACK, cut=st.integers(0, 40))
def test_changed_settings_leave_no_day_out(
    step: int, days: int, changed: int, back: int, cut: int
) -> None:
    """Even if ``end_date`` moves back before the bookmark."""
    first = list(DayRange(START, START + timedelta(days=step), days, back).windows(None))
    end = max(START, START + timedelta(days=2 * step - cut))
    second = list(DayRange(START, end, changed, back).windows(first[-1].first))
    assert second[-1].last == end
    unread = [START + timedelta(days=n) for n in range(2 * step + 1)]
    new = {day for day in unread if first[-1].first <= day <= end}
    assert new <= {*days_of(second)}
