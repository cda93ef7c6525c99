"""Settings and streams of the tap."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from singer_sdk import Stream
from singer_sdk import typing as th
from tap_kit import TOKEN_PATTERN, KitTap, NonEmptyList, common_settings
from typing_extensions import override

from tap_kindmetrics import streams
from tap_kindmetrics.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_kit import Config

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
        th.StringType(min_length=1, max_length=255),  # as it is a part of keys
        required=True,
        description="Name of the segment in rows and in the state",
    ),
    th.Property("source_name", th.StringType, description="Only visits from this source"),
    th.Property("medium_name", th.StringType, description="Only visits from this kind of source"),
    th.Property("site_path", th.StringType, description="Only visits to this page"),
    th.Property(
        "goal_id",
        th.IntegerType,
        description="Only visits that reached this goal; set domain_ids to the goal's domain too",
    ),
    th.Property("country", th.StringType, description="Only visits from this country, two letters"),
    th.Property("browser", th.StringType, description="Only visits with this browser"),
    th.Property(
        "domain_ids",
        NonEmptyList(th.IntegerType),
        description="Ids of the domains to read the segment of. Unset: all domains to read",
    ),
)

SETTINGS = (
    th.Property(
        "api_token",
        th.StringType(min_length=1, pattern=TOKEN_PATTERN),
        required=True,
        secret=True,
        title="API token",
        description="API token from your profile on app.kindmetrics.io, API tokens",
    ),
    th.Property(
        "api_url",
        th.URIType,
        default="https://app.kindmetrics.io",
        title="API URL",
        description="Address of the server. Change it if you host Kindmetrics yourself",
    ),
    th.Property(
        "domain_ids",
        NonEmptyList(th.IntegerType),
        title="Domain ids",
        description="Ids of the domains to read. Unset: all domains of the token's user",
    ),
    th.Property(
        "segments",
        NonEmptyList(th.ObjectType(*SEGMENT, additional_properties=False)),
        title="Segments",
        description="Segments of the visitors. The tap reads all figures for each segment. "
        "Unset: one segment `all` without a filter",
    ),
    *common_settings(lookback_days=2),
)


class TapKindmetrics(KitTap):
    """Reads a Kindmetrics account: its domains and their figures by day."""

    name = "tap-kindmetrics"
    config_jsonschema = th.PropertiesList(*SETTINGS).to_dict()

    @override
    def discover_streams(self) -> list[Stream]:
        return [stream_type(self, self.selection) for stream_type in STREAM_TYPES]

    @override
    def own_problems(self, config: Config) -> Iterator[str]:
        segments = config.get("segments", ())
        names = [part["name"] for part in segments if part and "name" in part]
        for name in {n for n in names if names.count(n) > 1}:
            yield f"segments must have different names, two are named {name!r}"
        for number, part in enumerate(segments):
            if part and part.get("goal_id") is not None and len(part.get("domain_ids") or ()) > 1:
                text = "must have one id, since a goal belongs to one domain"
                yield f"segments[{number}].domain_ids {text}"

    @cached_property
    def selection(self) -> Selection:
        """The part of the account that this run reads."""
        return Selection(self.run)

    @override
    def check_access(self) -> str:
        return f"The token works; the tap reads {len(self.selection.domains)} domain(s)"
