"""Settings and streams of the tap."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from singer_sdk import typing as th
from tap_kit import TOKEN_PATTERN, KitTap, Request, common_settings, polling_settings
from typing_extensions import override

from tap_example import streams
from tap_example.client import Client

if TYPE_CHECKING:
    from singer_sdk import Stream


class TapExample(KitTap):
    """Reads an invented API: sites, their visits by day, and orders."""

    name = "tap-example"
    config_jsonschema = th.PropertiesList(
        th.Property(
            "api_token",
            th.StringType(pattern=TOKEN_PATTERN),
            required=True,
            secret=True,
            description="The token of the account",
        ),
        th.Property("api_url", th.URIType, required=True, description="Address of the API"),
        th.Property(
            "site_ids", th.ArrayType(th.IntegerType), default=[], description="Sites to read"
        ),
        *polling_settings("job", first_ms=500, longest_ms=30_000, timeout_s=600),
        *common_settings(lookback_days=1),
    ).to_dict()

    @override
    def discover_streams(self) -> list[Stream]:
        types = (streams.Sites, streams.Visits, streams.Orders)
        return [stream_type(self, self.client) for stream_type in types]

    @cached_property
    def client(self) -> Client:
        """The API with this run's settings."""
        return Client(self.run)

    @override
    def check_access(self) -> str:
        pages = self.client.api.send(Request("/sites", {"page": 1}), dict).value["pages"]
        return f"The token works; the account has {pages} page(s) of sites"
