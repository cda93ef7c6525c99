"""Check the settings that only the vendor knows: the time zone, the teams in filters."""

from __future__ import annotations

import difflib
import logging
from typing import TYPE_CHECKING, Any

from tap_kit import PartitionUnavailable, SyncFailed

from tap_khoros_analytics.exports.definitions import EXPORTS, export_options
from tap_khoros_analytics.exports.tenant import TIME_ZONES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_kit import Config

    from tap_khoros_analytics.exports.tenant import Tenant

logger = logging.getLogger(__name__)

DEFAULT_ZONE = "UTC"  # the vendor's default as well, so it needs no check
TEAM_FILTERS = ("teamIds", "teamId")
_MAX_ZONES = 2_000  # of the vendor's list, in which a similar id is searched
_MAX_LENGTH = 100


def vendor_problems(tenant: Tenant, teams: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield what is wrong with the settings, a line each; this takes one request at most."""
    config = tenant.run.config
    yield from team_problems(config, {str(t["team_id"]) for t in teams if t.get("team_id")})
    if config["timezone"] != DEFAULT_ZONE and (zones := _zones(tenant)):
        yield from zone_problems(config["timezone"], zones)


def zone_problems(zone: str, zones: Sequence[str]) -> Iterator[str]:
    """Yield that ``zone`` is not one of the ``zones`` of the vendor, with a similar one."""
    if zone not in zones:
        known = [name for name in zones[:_MAX_ZONES] if len(name) <= _MAX_LENGTH]
        lower = zone.lower()
        near = [name for name in known if name.lower() == lower]
        near = near or difflib.get_close_matches(zone[:_MAX_LENGTH], known, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        yield f"timezone must be an id from the stream timezones{hint}"


def team_problems(config: Config, known: set[str]) -> Iterator[str]:
    """Yield the filters by team that have no team of the company; log single missing teams."""
    for export_id in EXPORTS if known else ():
        filters = export_options(config, export_id).get("filters", {})
        for name in TEAM_FILTERS:
            wanted = list(dict.fromkeys(_ids_in(filters.get(name))))
            missing = [team for team in wanted if team not in known]
            where = f"exports.{export_id}.filters.{name}"
            if missing and len(missing) == len(wanted):
                yield f"{where} must have team ids from the stream teams, it has none of them"
                continue
            for team in missing:
                logger.warning("%s: the stream teams has no team %s", where, team)


def _ids_in(value: Any) -> Iterable[str]:
    values = value if isinstance(value, list) else [] if value is None else [value]
    parts = (part.strip() for item in values for part in str(item).split(","))
    return (part for part in parts if part)


def _zones(tenant: Tenant) -> list[str]:
    """Return the ids of the vendor's time zones; none if they cannot be read."""
    try:
        rows = tenant.look_up(TIME_ZONES)
    except (PartitionUnavailable, SyncFailed) as error:
        logger.info("The setting timezone is not checked: %s", error)
        return []
    return [row["id"] for row in rows if isinstance(row.get("id"), str)]
