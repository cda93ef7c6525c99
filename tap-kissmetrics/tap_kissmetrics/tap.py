"""The tap: the versions of the API that it reads, and its streams."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from tap_kit import KitTap
from typing_extensions import override

from tap_kissmetrics import settings
from tap_kissmetrics.core import settings as core_settings
from tap_kissmetrics.core import streams as core
from tap_kissmetrics.core.client import CoreClient
from tap_kissmetrics.raw_exports import settings as raw_settings
from tap_kissmetrics.raw_exports import streams as raw
from tap_kissmetrics.raw_exports.group import RawExports
from tap_kissmetrics.reports.saved import Account
from tap_kissmetrics.reports.streams import NamedReport, ReportResults
from tap_kissmetrics.settings import Version
from tap_kissmetrics.v3 import query_streams
from tap_kissmetrics.v3 import settings as v3_settings
from tap_kissmetrics.v3 import streams as v3
from tap_kissmetrics.v3.client import V3Client

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from singer_sdk import Stream
    from tap_kit import Config, Work

VERSIONS = {
    "core": Version(
        description="the Core API and version 2 of the query API",
        access=core_settings.ACCESS,
        required="api_token",
        id_type=str,
        open_client=CoreClient,
        streams=(
            core.Accounts,
            core.Products,
            core.Reports,
            core.Events,
            core.Properties,
            core.Metrics,
            ReportResults,
        ),
        report_stream=NamedReport,
        on_plan=core.check_selection,
    ),
    "v3": Version(
        description="version 3",
        access=v3_settings.ACCESS,
        required="username",
        selection=v3_settings.SELECTION,
        report_settings=("saved_dates",),
        id_type=int,
        open_client=V3Client,
        streams=(
            v3.Products,
            v3.Reports,
            v3.Events,
            v3.Properties,
            query_streams.V3ReportResults,
            query_streams.MetricResults,
            query_streams.QueryResults,
        ),
        report_stream=query_streams.V3NamedReport,
        requests_per_minute=15,  # by the vendor's price page
        polling_share=0.5,  # a query is a start and a poll that finds it done
        on_plan=query_streams.log_expected_requests,
    ),
}


RAW = "raw exports"
"""The heading of the streams of the raw data export in descriptions of the tap."""


class TapKissmetrics(KitTap):
    """Reads a Kissmetrics account: what it tracks, and the people that its reports find."""

    name = "tap-kissmetrics"
    versions: ClassVar[Mapping[str, Version]] = VERSIONS
    config_jsonschema = settings.settings_of(VERSIONS)

    @classmethod
    @override
    def required_settings(cls) -> list[list[str]]:
        """Return the settings that each version requires; `config_problems` names missing ones."""
        first, *others = cls.versions.values()
        return [
            [first.required],
            *(["api_version", one.required] for one in others),
            ["raw_exports"],
        ]

    @classmethod
    @override
    def variants(cls) -> Mapping[str, Config]:
        first, *others = cls.versions
        exports = {"raw_exports": [{"product": "shop", "url": "s3://bucket"}]}
        return {first: {}, **{name: {"api_version": name} for name in others}, RAW: exports}

    @override
    def discover_streams(self) -> list[Stream]:
        streams: list[Stream] = []
        if self.has_api:
            streams += self._api_streams()
        if self.config.get("raw_exports"):
            streams += [stream_type(self, self.raw_exports) for stream_type in raw.STREAMS]
        return streams

    def _api_streams(self) -> list[Stream]:
        version, account = self.version, self.account
        streams = [stream_type(self, account) for stream_type in version.streams]
        for entry in self._entries_with_streams():
            name, columns = settings.stream_part(entry), entry["columns"]
            streams.append(version.report_stream(self, account, entry["id"], name, columns))
        return streams

    def _entries_with_streams(self) -> list[dict[str, Any]]:
        """Return those entries of ``reports``; wrong ones are reported by ``config_problems``."""
        entries = self.config.get("reports")
        return list(filter(settings.has_stream, entries)) if isinstance(entries, list) else []

    @override
    def own_problems(self, config: Config) -> Iterator[str]:
        yield from settings.name_problems(config)
        if "api_version" in self.config and "api_version" not in config:
            return  # it is invalid, so which settings belong to it is unknown
        properties = self.config_jsonschema["properties"]
        yield from settings.version_problems(config, self.versions, properties)
        yield from settings.entry_problems(config, self.versions)
        yield from raw_settings.problems(config)

    @property
    def has_api(self) -> bool:
        """Whether the tap reads the API, and not only raw exports."""
        return not settings.has_raw_exports_alone(self.config, self.versions)

    @cached_property
    def raw_exports(self) -> RawExports[raw.RawStream]:
        """What the streams of the raw data export share."""
        return RawExports(self.run)

    @cached_property
    def version(self) -> Version:
        """The version of the API that the settings select; the first one if they are wrong."""
        selected = self.config.get("api_version")
        first = next(iter(self.versions.values()))
        return next((one for name, one in self.versions.items() if name == selected), first)

    @cached_property
    def account(self) -> Account:
        """What the streams of this run share."""
        version = self.version
        return Account(self.run, version.open_client, polling_share=version.polling_share)

    @property
    @override
    def default_requests_per_minute(self) -> int | None:
        return self.version.requests_per_minute

    @override
    def on_plan(self, work: Sequence[Work]) -> None:
        self.version.on_plan(self.run, work)

    @override
    def check_access(self) -> str:
        found = [self.account.client.check_access()] if self.has_api else []
        if any(stream.selected for stream in self.raw_exports.streams):
            found.append(self.raw_exports.check_access())
        return "; ".join(found)
