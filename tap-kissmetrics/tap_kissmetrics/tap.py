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
from tap_kissmetrics.v3 import query_streams
from tap_kissmetrics.v3 import settings as v3_settings
from tap_kissmetrics.v3 import streams as v3
from tap_kissmetrics.v3.client import V3Client
from tap_kissmetrics.versions import Selection, Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from singer_sdk import Stream
    from tap_kit import Config, Work

VERSIONS = {
    "v3": Version(
        description="version 3 of the API",
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
        """Return the credentials that select each version; ``Selection`` names missing ones."""
        return [*([one.required] for one in cls.versions.values()), ["raw_exports"]]

    @classmethod
    @override
    def variants(cls) -> Mapping[str, Config]:
        exports = {"raw_exports": [{"product": "shop", "url": "s3://bucket"}]}
        return {**{name: {"api_version": name} for name in cls.versions}, RAW: exports}

    @override
    def discover_streams(self) -> list[Stream]:
        streams: list[Stream] = []
        if self.selection.has_api:
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
        selection = self.selection
        yield from settings.name_problems(config)
        yield from selection.problems()
        yield from raw_settings.problems(config)
        if selection.is_known and selection.has_api:
            yield from settings.entry_problems(config, selection.name, selection.version)
            yield from selection.state_problems(self.state)

    @cached_property
    def selection(self) -> Selection:
        """Which version of the API the settings select."""
        return Selection(self.config, self.versions, self.config_jsonschema["properties"])

    @cached_property
    def raw_exports(self) -> RawExports[raw.RawStream]:
        """What the streams of the raw data export share."""
        return RawExports(self.run)

    @property
    def version(self) -> Version:
        """The version of the API that is read; the first one if the settings are wrong."""
        return self.selection.version

    @cached_property
    def account(self) -> Account:
        """What the streams of this run share."""
        version = self.version
        return Account(self.run, version.open_client, polling_share=version.polling_share)

    @property
    @override
    def default_requests_per_minute(self) -> int | None:
        return self.version.requests_per_minute if self.selection.has_api else None

    @override
    def on_plan(self, work: Sequence[Work]) -> None:
        if self.selection.has_api:
            self.version.on_plan(self.run, work)

    @override
    def check_access(self) -> str:
        selection = self.selection
        if choice := selection.choice():
            self.logger.info("%s", choice)
        if ignored := selection.ignored():
            self.logger.warning("%s", ignored)
        found = [self.account.client.check_access()] if selection.has_api else []
        if any(stream.selected for stream in self.raw_exports.streams):
            found.append(self.raw_exports.check_access())
        return "; ".join(found)
