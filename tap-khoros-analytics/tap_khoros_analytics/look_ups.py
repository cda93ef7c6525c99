"""The two lookups: lists that need no job."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING

from singer_sdk import SchemaDirectory, StreamSchema
from tap_kit import KitStream, Result
from typing_extensions import override

from tap_khoros_analytics import schemas
from tap_khoros_analytics.exports.tenant import TEAMS, TIME_ZONES

if TYPE_CHECKING:
    from singer_sdk import Tap
    from tap_kit import Task

    from tap_khoros_analytics.exports.tenant import Tenant

SCHEMAS = SchemaDirectory(schemas)


class LookUp(KitStream, ABC):
    """A list under ``result``, its names in snake_case."""

    schema = StreamSchema(SCHEMAS)
    path: str

    def __init__(self, tap: Tap, tenant: Tenant) -> None:
        self.tenant = tenant
        super().__init__(tap, tenant.run)

    @override
    def fetch(self, task: Task) -> Result:
        return Result(self.checked(self.tenant.look_up(self.path)))


class Teams(LookUp):
    """Teams, for the filters by team. ``GET /teams``."""

    name = "teams"
    primary_keys = ("team_id",)
    path = TEAMS


class Timezones(LookUp):
    """Time zones, for the setting ``timezone``. ``GET /config/timezones``."""

    name = "timezones"
    primary_keys = ("id",)
    path = TIME_ZONES
