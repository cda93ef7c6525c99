"""Time zones by the names that products have, some of which are outdated."""

from datetime import date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

# Names that some systems do not have: Debian has them in a separate package.
CURRENT_NAMES = {
    "US/Eastern": "America/New_York",
    "US/Central": "America/Chicago",
    "US/Mountain": "America/Denver",
    "US/Pacific": "America/Los_Angeles",
}


@lru_cache(maxsize=256)
def zone_of(name: str) -> tzinfo:
    """Return the zone of a name; UTC for an unknown one."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        return zone_of(CURRENT_NAMES[name]) if name in CURRENT_NAMES else timezone.utc


def midnight(day: date, zone: tzinfo) -> int:
    """Return the Unix second in which a local day begins."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def local_day(second: float, zone: tzinfo) -> date:
    """Return the local day of a Unix second."""
    return datetime.fromtimestamp(second, zone).date()


def local_text(second: int, zone: tzinfo) -> str:
    """Return a Unix second as local time without an offset."""
    return datetime.fromtimestamp(second, zone).isoformat(" ")[:19]


def local_seconds(second: int, zone: tzinfo) -> int:
    """Return a Unix second shifted so that, read as UTC, it shows local time."""
    offset = datetime.fromtimestamp(second, zone).utcoffset() or timedelta()
    return second + int(offset.total_seconds())


def day_window(day: date, zone: tzinfo) -> tuple[str, str]:
    """Return the first and the last second of a local day, in ISO 8601 with the offset."""
    begin = midnight(day, zone)
    last = midnight(day + timedelta(days=1), zone) - 1
    first_text, last_text = (
        datetime.fromtimestamp(second, zone).isoformat() for second in (begin, last)
    )
    return first_text, last_text
