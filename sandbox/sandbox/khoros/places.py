"""Time zones and locales, and how exports format a time in them."""

from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

HOUR_MS = 3_600_000
# The parameter lists have the two-letter codes, guides and one sample have en_US.
LOCALES = ("en", "es", "fr", "de", "tr", "en_US")
# Only "<date> <time>" is documented; all formats have 19 characters.
TIME_FORMATS = {
    "en": "%Y-%m-%d %H:%M:%S",
    "es": "%d/%m/%Y %H:%M:%S",
    "fr": "%d/%m/%Y %H:%M:%S",
    "de": "%d.%m.%Y %H:%M:%S",
    "tr": "%d.%m.%Y %H:%M:%S",
    "en_US": "%m/%d/%Y %H:%M:%S",
}
# Id, English name, abbreviation, standard offset in hours.
ZONES: tuple[tuple[str, str, str, float], ...] = (
    ("Etc/GMT+12", "GMT-12:00", "GMT-12:00", -12),
    ("Pacific/Honolulu", "Hawaii Standard Time", "HST", -10),
    ("America/Anchorage", "Alaska Standard Time", "AKST", -9),
    ("America/Los_Angeles", "Pacific Standard Time", "PST", -8),
    ("America/Phoenix", "Mountain Standard Time", "MST", -7),
    ("America/Denver", "Mountain Standard Time", "MST", -7),
    ("America/Chicago", "Central Standard Time", "CST", -6),
    ("America/New_York", "Eastern Standard Time", "EST", -5),
    ("America/Halifax", "Atlantic Standard Time", "AST", -4),
    ("America/St_Johns", "Newfoundland Standard Time", "NST", -3.5),
    ("America/Sao_Paulo", "Brasilia Time", "BRT", -3),
    ("Atlantic/Azores", "Azores Time", "AZOT", -1),
    ("UTC", "Coordinated Universal Time", "UTC", 0),
    ("Etc/UTC", "Coordinated Universal Time", "UTC", 0),
    ("GMT", "Greenwich Mean Time", "GMT", 0),
    ("Europe/London", "Greenwich Mean Time", "GMT", 0),
    ("Europe/Berlin", "Central European Time", "CET", 1),
    ("Europe/Paris", "Central European Time", "CET", 1),
    ("Europe/Madrid", "Central European Time", "CET", 1),
    ("Europe/Athens", "Eastern European Time", "EET", 2),
    ("Africa/Johannesburg", "South Africa Standard Time", "SAST", 2),
    ("Europe/Istanbul", "Eastern European Time", "EET", 3),
    ("Asia/Dubai", "Gulf Standard Time", "GST", 4),
    ("Asia/Kolkata", "India Standard Time", "IST", 5.5),
    ("Asia/Kathmandu", "Nepal Time", "NPT", 5.75),
    ("Asia/Singapore", "Singapore Time", "SGT", 8),
    ("Asia/Tokyo", "Japan Standard Time", "JST", 9),
    ("Australia/Adelaide", "Australian Central Standard Time", "ACST", 9.5),
    ("Australia/Sydney", "Australian Eastern Standard Time", "AEST", 10),
    ("Pacific/Auckland", "New Zealand Standard Time", "NZST", 12),
    ("Pacific/Apia", "West Samoa Time", "WST", 13),
)
OFFSETS = {zone[0]: zone[3] for zone in ZONES}


def zone_of(zone_id: str) -> tzinfo:
    """Return a listed zone; its standard offset if this machine has no time zone data."""
    try:
        return ZoneInfo(zone_id)
    except ZoneInfoNotFoundError:
        return timezone(timedelta(hours=OFFSETS[zone_id]))


def zone_at(offset_ms: int) -> tzinfo:
    """Return the zone with a fixed offset from UTC."""
    return timezone(timedelta(milliseconds=offset_ms))


def time_text(at: int, zone: tzinfo, locale: str) -> str:
    """Format epoch milliseconds as the exports do: in seconds, without the zone."""
    moment = datetime.fromtimestamp(at // 1000, tz=zone)
    return moment.strftime(TIME_FORMATS[locale])


def timezones_result() -> list[dict[str, Any]]:
    """Return the ``result`` of ``/config/timezones``."""
    return [
        {
            "id": zone_id,
            "name": name,
            "shortName": short,
            "offsetString": _offset_text(hours),
            "offsetMillis": int(hours * HOUR_MS),
        }
        for zone_id, name, short, hours in ZONES
    ]


def _offset_text(hours: float) -> str:
    minutes = int(abs(hours) * 60)
    return f"{'-' if hours < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
