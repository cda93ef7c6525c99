"""The two look-ups: lists that are answered at once."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, Any

from singer_sdk import SchemaDirectory, StreamSchema
from tap_kit.errors import PartitionUnavailable
from tap_kit.rows.names import snake_case
from tap_kit.streams import KitStream
from typing_extensions import override

from tap_khoros_analytics import schemas
from tap_khoros_analytics.client import AccessRefused, MethodRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_kit.flow.tasks import Task

    from tap_khoros_analytics.tap import TapKhorosAnalytics

SCHEMAS = SchemaDirectory(schemas)


class LookUp(KitStream, ABC):
    """A list under ``result``, its names in snake_case."""

    tap: TapKhorosAnalytics
    schema = StreamSchema(SCHEMAS)
    path: str

    @override
    def read(self, task: Task) -> Sequence[dict[str, Any]]:
        try:
            rows = self.tap.client.look_up(self.path, self.parameters())
        except (AccessRefused, MethodRefused) as error:
            raise PartitionUnavailable(str(error)) from None
        return [{snake_case(key): value for key, value in row.items()} for row in rows]

    def parameters(self) -> dict[str, str]:
        """The query, besides the company key."""
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
        return {"locale": str(self.tap.config["locale"])}
