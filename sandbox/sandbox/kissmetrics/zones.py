"""Time zones by the names that products have, some of them older than today's."""

from datetime import date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

# Names that some systems no longer have: Debian keeps them in a package of its own.
TODAYS_NAMES = {
    "US/Eastern": "America/New_York",
    "US/Central": "America/Chicago",
    "US/Mountain": "America/Denver",
    "US/Pacific": "America/Los_Angeles",
}


@lru_cache(maxsize=256)
def zone_of(name: str) -> tzinfo:
    """Give the zone of a name; UTC when nobody knows it."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        return zone_of(TODAYS_NAMES[name]) if name in TODAYS_NAMES else timezone.utc


def midnight(day: date, zone: tzinfo) -> int:
    """Give the Unix second in which a local day begins."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def local_day(second: float, zone: tzinfo) -> date:
    """Give the local day of a Unix second."""
    return datetime.fromtimestamp(second, zone).date()


def local_text(second: int, zone: tzinfo) -> str:
    """Spell a Unix second as local wall time without an offset."""
    return datetime.fromtimestamp(second, zone).isoformat(" ")[:19]


def local_seconds(second: int, zone: tzinfo) -> int:
    """Shift a Unix second so that reading it as UTC shows local wall time."""
    offset = datetime.fromtimestamp(second, zone).utcoffset() or timedelta()
    return second + int(offset.total_seconds())


def day_window(day: date, zone: tzinfo) -> tuple[str, str]:
    """Give the first and the last second of a local day, both in ISO 8601 with the offset."""
    begin = midnight(day, zone)
    last = midnight(day + timedelta(days=1), zone) - 1
    first_text, last_text = (
        datetime.fromtimestamp(second, zone).isoformat() for second in (begin, last)
    )
    return first_text, last_text
