"""The days of a time zone as moments: some have 23 or 25 hours, and some do not exist."""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date
    from zoneinfo import ZoneInfo

    from tap_kit import Window


def begin_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the first moment of a day in a zone."""
    return datetime.combine(day, time(), tzinfo=zone)


def span_of(window: Window, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """Return the first and the last second of a window in a zone; None if it has no such days.

    Zones that moved across the date line skipped a day: ``Pacific/Apia`` had no 2011-12-30.
    """
    begin, after = begin_of(window.first, zone), begin_of(window.last + timedelta(days=1), zone)
    # Compared and subtracted in UTC: a day can have 23 or 25 hours.
    last = after.astimezone(timezone.utc) - timedelta(seconds=1)
    return (begin, last.astimezone(zone)) if begin.astimezone(timezone.utc) <= last else None
