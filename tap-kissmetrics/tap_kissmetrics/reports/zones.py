"""The time zones of products, by the names that the vendor uses for them."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

UTC = ZoneInfo("UTC")
_OFFSET = re.compile(r"\((?:GMT|UTC)[+-]\d\d:\d\d\) ")  # Rails shows it in front of a name


def zone_of(name: str) -> ZoneInfo | None:
    """Return the zone of a name of the IANA or of Ruby on Rails; None if neither knows it."""
    plain = _OFFSET.sub("", name, count=1).strip()
    try:
        return ZoneInfo(_rails_zones().get(plain, plain))
    except (OSError, ValueError, ZoneInfoNotFoundError):  # OSError: a folder of the database
        return None


@cache
def _rails_zones() -> dict[str, str]:
    """Return Rails' own names of zones, with the zones of the IANA that they stand for."""
    body = (files(__package__) / "rails_zones.json").read_bytes()
    return msgspec.json.decode(body, type=dict[str, str])
