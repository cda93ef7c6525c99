"""Version 3 of the query API: what the tap has of it, and how it keeps to its budget."""

from __future__ import annotations

import logging
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_kissmetrics.v3.client import V3Client
from tap_kissmetrics.v3.query_streams import (
    MetricResults,
    QueryResults,
    V3NamedReport,
    V3Queries,
    V3ReportResults,
)
from tap_kissmetrics.v3.streams import Events, Products, Properties, Reports, V3List
from tap_kissmetrics.versions import Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from singer_sdk import Stream
    from tap_kit.flow.ahead import Work

    from tap_kissmetrics.client import Id

LISTS = (Products, Reports, Events, Properties)

logger = logging.getLogger(__name__)


class V3Version(Version):
    """``api_version: v3``.

    15 requests a minute are what the vendor's price page says. Each query is a start and the look
    that finds it done, so that as much may go into looks as into starts.
    """

    requests_per_minute = 15
    polling_share = 0.5

    @cached_property
    @override
    def client(self) -> V3Client:
        """The API with this run's settings."""
        return V3Client(self.tap)

    @override
    def streams(self) -> Iterator[Stream]:
        yield from (stream_type(self) for stream_type in LISTS)
        yield from (V3ReportResults(self.tap), MetricResults(self), QueryResults(self))

    @override
    def named_report(self, report_id: Id, name: str, columns: Sequence[str]) -> Stream:
        return V3NamedReport(self.tap, report_id, name, columns)

    @override
    def on_plan(self, work: Sequence[Work]) -> None:
        budget = self.tap.requests_per_minute
        lists = sum(
            stream.requests_expected(partition)
            for stream, partition in work
            if isinstance(stream, V3List)
        )
        queries = Counter(
            question
            for stream, partition in work
            if isinstance(stream, V3Queries)
            for question in stream.questions(partition)
        )
        # Two for each: the start, and the look that finds it done and brings the first page. A
        # second stream of the same report asks for that page once more.
        expected = lists + len(queries) + queries.total()
        logger.info(
            "%d requests are expected: %d for lists, %d for %d queries, more where a result has "
            "further pages; at %d a minute that takes about %.1f minutes",
            expected,
            lists,
            expected - lists,
            len(queries),
            budget,
            expected / (budget or expected or 1),
        )
