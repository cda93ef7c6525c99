"""The Core API with version 2 of the query API: what the tap has of it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_kissmetrics.core import streams as core_streams
from tap_kissmetrics.core.client import CoreClient
from tap_kissmetrics.reports.streams import NamedReport, ReportResults
from tap_kissmetrics.versions import Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from singer_sdk import Stream
    from tap_kit.flow.ahead import Work

    from tap_kissmetrics.client import Id

LISTS = (
    core_streams.Accounts,
    core_streams.Products,
    core_streams.Reports,
    core_streams.Events,
    core_streams.Properties,
    core_streams.Metrics,
)


class CoreVersion(Version):
    """``api_version: core``: no limit of requests is documented."""

    @cached_property
    @override
    def client(self) -> CoreClient:
        """Both hosts of the API with this run's settings."""
        return CoreClient(self.tap)

    @override
    def streams(self) -> Iterator[Stream]:
        yield from (stream_type(self) for stream_type in LISTS)
        yield ReportResults(self.tap)

    @override
    def named_report(self, report_id: Id, name: str, columns: Sequence[str]) -> Stream:
        return NamedReport(self.tap, report_id, name, columns)

    @override
    def on_plan(self, work: Sequence[Work]) -> None:
        """There is no budget that it would have to fit."""
