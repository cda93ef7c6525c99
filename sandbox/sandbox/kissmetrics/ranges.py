"""The date ranges of v3, in days of the product's time zone; both ends are included."""

import contextlib
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from sandbox.exchange import Refusal
from sandbox.kissmetrics.zones import local_day, midnight

Span = tuple[float, float]  # Unix seconds, both included
AXIS = (date(1970, 1, 1), date(2049, 12, 31))  # "1970-01-01 to 2050-01-01" in the documents
DURATION = re.compile(r"-P(\d+)([DWMY])")
DAYS_OF = {"D": 1, "W": 7, "M": 30, "Y": 365}  # months and years in whole days
LAST_DAYS = re.compile(r"last_(\d+)_days")
TYPES = ("on", "before", "after", "between", "preset")


def span_of(value: Any, now: datetime, zone: tzinfo) -> Span:
    """Return the span of a date range object.

    Raises:
        Refusal: 400 for an invalid one.
    """
    if not isinstance(value, Mapping) or value.get("type") not in TYPES:
        raise Refusal(400, f"date_range must have a type of {', '.join(TYPES)}.")
    today = local_day(now.timestamp(), zone)
    first, last = (
        _preset(value.get("preset"), today)
        if value["type"] == "preset"
        else _dated(value["type"], value.get("date"), today)
    )
    if first > last:
        raise Refusal(400, "date_range must not end before it begins.")
    return midnight(first, zone), midnight(last + timedelta(days=1), zone) - 1


def _dated(kind: str, text: Any, today: date) -> tuple[date, date]:
    if not isinstance(text, str):
        raise Refusal(400, "date_range must have a date.")
    if kind == "between":
        first, slash, last = text.partition("/")
        if not slash:
            raise Refusal(400, "date_range between needs two dates with a slash between them.")
        return _day(first, today), _day(last, today)
    day = _day(text, today)
    return {"on": (day, day), "before": (AXIS[0], day), "after": (day, AXIS[1])}[kind]


def _day(text: str, today: date) -> date:
    """Return a day that is given as a date or as a duration before today."""
    if ago := DURATION.fullmatch(text):
        return today - timedelta(days=int(ago[1]) * DAYS_OF[ago[2]])
    with contextlib.suppress(ValueError):
        day = date.fromisoformat(text)
        if day.isoformat() == text:
            return day
    raise Refusal(400, f"date_range has no date in {text!r}.")


def _preset(name: Any, today: date) -> tuple[date, date]:
    yesterday = today - timedelta(days=1)
    known = {
        "ever": AXIS,
        "today": (today, today),
        "yesterday": (yesterday, yesterday),
        "this_month_to_date": (today.replace(day=1), today),
    }
    if name in known:
        return known[name]
    if isinstance(name, str) and (last := LAST_DAYS.fullmatch(name)):
        return today - timedelta(days=int(last[1])), yesterday
    raise Refusal(400, "date_range has an unknown preset.")
