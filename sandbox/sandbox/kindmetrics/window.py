"""The window and the filters in a request's query."""

import calendar
from datetime import date, timedelta

from sandbox.exchange import Request
from sandbox.kindmetrics.errors import Refusal
from sandbox.kindmetrics.figures import Filters

DAYS_BACK = {"7d": 7, "30d": 30}


def window_of(request: Request, today: date) -> tuple[date, date]:
    """Return the first and the last day requested, both included.

    Raises:
        Refusal: 500 for an invalid date; 400 for an unknown period, and for a window that ends in
            the future or before it begins.
    """
    begin, end = request.parameter("from"), request.parameter("to")
    last = today if end is None else _day(end)
    first = _period_start(request, today) if begin is None else _day(begin)
    if last > today:
        raise Refusal(400, "Bad Request", "to", "can be today or earlier, not in the future")
    if first > last:
        raise Refusal(400, "Bad Request", "from", "is later than to")
    return first, last


def filters_of(request: Request) -> Filters:
    """Return the filters; text is trimmed, and blank text does not filter.

    Raises:
        Refusal: 400 for a goal_id that is not an integer.
    """
    goal_id = request.parameter("goal_id")
    if goal_id is not None and not goal_id.strip().lstrip("-").isdecimal():
        raise Refusal(400, "Bad Request", "goal_id", "is not an integer")
    return Filters(
        source_name=_text(request, "source_name"),
        medium_name=_text(request, "medium_name"),
        site_path=_text(request, "site_path"),
        goal_id=None if goal_id is None else int(goal_id),
        country=_text(request, "country"),
        browser=_text(request, "browser"),
    )


def _text(request: Request, name: str) -> str | None:
    return (request.parameter(name) or "").strip() or None


def _day(text: str) -> date:
    """Read a date, which must be written YYYY-MM-DD."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Refusal(500, "An unexpected error occurred") from None
    if day.isoformat() != text:
        raise Refusal(500, "An unexpected error occurred")
    return day


def _period_start(request: Request, today: date) -> date:
    period = request.parameter("period") or "7d"
    if period in DAYS_BACK:
        return today - timedelta(days=DAYS_BACK[period])
    if period == "1m":
        return _month_before(today)
    raise Refusal(400, "Bad Request", "period", "is none of 7d, 30d, 1m")


def _month_before(day: date) -> date:
    """Return the same day of the previous month, or its last day if that month is shorter."""
    last_of_previous = day.replace(day=1) - timedelta(days=1)
    length = calendar.monthrange(last_of_previous.year, last_of_previous.month)[1]
    return last_of_previous.replace(day=min(day.day, length))
