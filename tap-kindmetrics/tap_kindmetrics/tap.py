"""Settings and streams of the tap."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream
from singer_sdk import typing as th
from tap_kit.run.settings import TOKEN_TEXT, common_settings
from tap_kit.tap import KitTap
from typing_extensions import override

from tap_kindmetrics import streams
from tap_kindmetrics.client import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

STREAM_TYPES = (
    streams.Account,
    streams.Domains,
    streams.DomainStats,
    streams.Pages,
    streams.EntryPages,
    streams.Sources,
    streams.Referrers,
    streams.Countries,
    streams.Goals,
    streams.CurrentVisitors,
)

SEGMENT = (
    th.Property(
        "name",
        th.StringType(min_length=1),
        required=True,
        description="The segment's name in the rows and in the state",
    ),
    th.Property("source_name", th.StringType, description="Only visits from this source"),
    th.Property("medium_name", th.StringType, description="Only visits from this kind of source"),
    th.Property("site_path", th.StringType, description="Only visits of this page"),
    th.Property("goal_id", th.IntegerType, description="Only visits that reached this goal"),
    th.Property("country", th.StringType, description="Only visits from this country, two letters"),
    th.Property("browser", th.StringType, description="Only visits with this browser"),
)

SETTINGS = (
    th.Property(
        "api_token",
        th.StringType(min_length=1, pattern=TOKEN_TEXT),
        required=True,
        secret=True,
        title="API token",
        description="From app.kindmetrics.io, your profile, API tokens",
    ),
    th.Property(
        "api_url",
        th.URIType,
        default="https://app.kindmetrics.io",
        title="API URL",
        description="Address of the server, for those who host Kindmetrics themselves",
    ),
    th.Property(
        "domain_ids",
        th.ArrayType(th.IntegerType),
        title="Domain ids",
        description="The domains to read. Unset: all domains of the token's user",
    ),
    th.Property(
        "segments",
        th.ArrayType(th.ObjectType(*SEGMENT, additional_properties=False)),
        title="Segments",
        description="Each figure is read once for each segment of the visitors. "
        "Unset: one segment `all` without a filter",
    ),
    *common_settings(lookback_days=2),
)


class TapKindmetrics(KitTap):
    """Reads a Kindmetrics account: its domains, and their figures day by day."""

    name = "tap-kindmetrics"
    config_jsonschema = th.PropertiesList(*SETTINGS).to_dict()

    @override
    def discover_streams(self) -> list[Stream]:
        return [stream_type(self) for stream_type in STREAM_TYPES]

    @override
    def config_problems(self) -> Iterator[str]:
        yield from super().config_problems()
        segments = self.config.get("segments")
        parts = segments if isinstance(segments, list) else []
        names = [part.get("name") for part in parts if isinstance(part, dict)]
        for name in {n for n in names if isinstance(n, str) and names.count(n) > 1}:
            yield f"segments: two have the name {name!r}"

    @cached_property
    def client(self) -> Client:
        """The API with this run's settings."""
        return Client(self)

    @cached_property
    def domains(self) -> list[dict[str, Any]]:
        """The domains to read, as the vendor lists them; one request a run."""
        wanted = self.config.get("domain_ids")
        listed = self.client.domains()
        return [domain for domain in listed if not wanted or domain["id"] in wanted]

    @property
    def domain_ids(self) -> list[int]:
        """The ids of the domains to read; configured ones even when the account lacks them."""
        wanted = self.config.get("domain_ids") or [domain["id"] for domain in self.domains]
        return list(dict.fromkeys(wanted))

    @cached_property
    def segments(self) -> dict[str, dict[str, str | int]]:
        """The filters of each segment, as query parameters."""
        segments = self.config.get("segments") or [{"name": "all"}]
        return {
            segment["name"]: {
                key: value for key, value in segment.items() if key != "name" and value is not None
            }
            for segment in segments
        }

    @override
    def check_access(self) -> str:
        return f"The token works; {len(self.domains)} domains are read"
