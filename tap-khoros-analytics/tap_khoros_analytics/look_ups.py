"""The two lookups: lists that need no job."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING

from singer_sdk import SchemaDirectory, StreamSchema
from tap_kit import KitStream, Result, snake_case
from typing_extensions import override

from tap_khoros_analytics import schemas

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
        rows = self.tenant.client.look_up(self.path, self.parameters())
        return Result(
            self.checked([{snake_case(key): value for key, value in row.items()} for row in rows])
        )

    def parameters(self) -> dict[str, str]:
        """Return the query of the request, without the company key."""
        return {}


class Teams(LookUp):
    """Teams, for the filters by team. ``GET /teams``."""

    name = "teams"
    primary_keys = ("team_id",)
    path = "/teams"


class Timezones(LookUp):
    """Time zones, for the setting ``timezone``. ``GET /config/timezones``."""

    name = "timezones"
    primary_keys = ("id",)
    path = "/config/timezones"

    @override
    def parameters(self) -> dict[str, str]:
        return {"locale": str(self.config["locale"])}
