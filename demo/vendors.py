"""The three vendors of the demo: how each is served, and which rows must arrive."""

from __future__ import annotations

import abc
import contextlib
import json
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.khoros import Khoros
from sandbox.kindmetrics import Kindmetrics
from sandbox.kissmetrics import Kissmetrics
from sandbox.kissmetrics.raw import RawExport, RawSizes
from sandbox.server import running
from tap_khoros_analytics.exports.columns import columns_from
from tap_khoros_analytics.exports.definitions import EXPORTS
from tap_khoros_analytics.tap import TapKhorosAnalytics
from tap_kindmetrics.tap import TapKindmetrics
from tap_kissmetrics.tap import TapKissmetrics
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_kit.tap import KitTap

Row = tuple[Any, ...]
Rows = Counter[Row]
Settings = dict[str, str]

FILES_PER_DAY = 4  # of the raw data export of Kissmetrics
RAW_KINDS = {
    "raw_events": "event",
    "raw_properties": "properties",
    "raw_aliases": "alias",
    "raw_rejects": "reject",
}
RAW_COUNTS = ("lines", "event", "properties", "alias", "reject", "mended", "repeated")


@dataclass(frozen=True)
class Days:
    """The days that the demo reads, both included."""

    first: date
    last: date

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1))

    @property
    def noon_after(self) -> datetime:
        """The current time of the APIs, at which all days are over in every time zone.

        With the real time, a new row of the last day could appear between the run and the check.
        """
        return datetime.combine(self.last + timedelta(days=1), time(12), timezone.utc)


class Vendor(abc.ABC):
    """A vendor's sandbox, and the rows that a complete and correct run loads."""

    tap: type[KitTap]
    snapshots: frozenset[str] = frozenset()  # streams to which each run adds rows
    stream_settings: Mapping[str, Any] = {}  # settings of the tap that define streams

    def __init__(self, days: Days) -> None:
        self.days = days

    @abc.abstractmethod
    def serving(self) -> contextlib.AbstractContextManager[Settings]:
        """Serve the API, and yield the tap's settings for it."""

    @abc.abstractmethod
    def streams(self) -> list[str]:
        """Return the streams whose rows are compared."""

    @abc.abstractmethod
    def expected(self, stream: str) -> Rows:
        """Return the rows that a stream must have, as tuples."""

    @abc.abstractmethod
    def query(self, stream: str) -> str:
        """Return SQL that selects the rows that arrived, in the same form."""


class KindmetricsDemo(Vendor):
    """Web analytics: four domains, seven lists per day."""

    tap = TapKindmetrics
    snapshots = frozenset({"current_visitors"})
    endpoints = ("pages", "entry_pages", "sources", "referrers", "countries", "goals")

    def __init__(self, days: Days) -> None:
        super().__init__(days)
        self.api = Kindmetrics(domains=4, now=days.noon_after)

    @override
    @contextlib.contextmanager
    def serving(self) -> Iterator[Settings]:
        with running(self.api.app) as server:
            yield {"API_URL": server.url, "API_TOKEN": "demo-token"}

    @override
    def streams(self) -> list[str]:
        return ["account", "domains", "domain_stats", *self.endpoints]

    @override
    def expected(self, stream: str) -> Rows:
        data = self.api.data
        if stream == "account":
            return Counter([(data.email,)])
        if stream == "domains":
            return Counter(tuple(domain.values()) for domain in data.domains)
        endpoint = "stats" if stream == "domain_stats" else stream
        return Counter(
            (domain["id"], day, *row.values())
            for domain in data.domains
            for day in self.days
            for row in data.rows(endpoint, domain["id"], day, day)
        )

    @override
    def query(self, stream: str) -> str:
        if stream in {"account", "domains"}:
            return f"FROM {stream}"
        ours = "" if stream == "domain_stats" else "row_id, "
        return (
            f"SELECT domain_id, date, * EXCLUDE ({ours}domain_id, segment, date, date_to) "
            f"FROM {stream} WHERE date BETWEEN '{self.days.first}' AND '{self.days.last}'"
        )


class KissmetricsDemo(Vendor):
    """People analytics: what is tracked, the people that saved reports find, and every event."""

    tap = TapKissmetrics
    # With these settings, the tap has its streams of all kinds.
    stream_settings: Mapping[str, Any] = {
        "api_version": "core",
        "api_token": "demo-token",
        "raw_exports": [{"product": "shop", "url": "folder"}],
    }
    lists = ("accounts", "products", "reports", "events", "properties", "metrics")

    def __init__(self, days: Days) -> None:
        super().__init__(days)
        self.api = Kissmetrics(now=days.noon_after)
        start = datetime.combine(days.first, time(), timezone.utc)
        sizes = RawSizes(files=len([*days]) * FILES_PER_DAY, gap_every=0)
        self.export = RawExport(sizes, start=start)

    @override
    @contextlib.contextmanager
    def serving(self) -> Iterator[Settings]:
        with self.api.serving() as at, tempfile.TemporaryDirectory() as folder:
            self.export.write(Path(folder))
            yield {
                "API_VERSION": "core",  # also if the shell has a user name
                "API_URL": at.core,
                "QUERY_URL": at.query,
                "API_TOKEN": "demo-token",
                "POLL_INTERVAL_MS": "50",
                "RAW_EXPORTS": json.dumps([{"product": "shop", "url": folder}]),
            }

    @override
    def streams(self) -> list[str]:
        return [*self.lists, "report_results", *RAW_KINDS, "raw_files"]

    @override
    def expected(self, stream: str) -> Rows:
        data = self.api.data
        if stream in self.lists:
            return Counter((row["id"],) for row in data.records(stream))  # type: ignore[arg-type]
        if stream == "raw_files":
            counts = ((revision, self.export.counts(revision)) for revision in self.export.present)
            return Counter((revision, *(one[n] for n in RAW_COUNTS)) for revision, one in counts)
        if stream in RAW_KINDS:
            return self._lines(RAW_KINDS[stream])
        return Counter(
            (report, *row)
            for report in data.runnable_reports()
            for day in self.days
            for row in data.day_rows(report, day)
        )

    @override
    def query(self, stream: str) -> str:
        if stream in self.lists:
            return f"SELECT id FROM {stream}"
        if stream == "raw_files":
            return (
                "SELECT revision, line_count, events, properties, aliases, rejects, mended, "
                "repeated FROM raw_files"
            )
        if stream in RAW_KINDS:
            mended = "false" if stream == "raw_rejects" else "mended IS NOT NULL"
            return f"SELECT revision, line, {mended}, equal_lines_before FROM {stream}"
        columns = ", ".join(f"values->'$.column_{n}'" for n in range(1, 5))
        return f"SELECT report_id, kmid, identity, {columns} FROM report_results"

    def _lines(self, kind: str) -> Rows:
        """Return the lines of a kind: where they are, and what a reader has to say of them."""
        rows: Rows = Counter()
        for revision in self.export.present:
            seen: Counter[bytes] = Counter()
            for number, made in enumerate(self.export.made(revision), 1):
                if made.kind == kind:
                    rows[revision, number, made.is_mended, seen[made.text]] += 1
                seen[made.text] += 1
        return rows


class KhorosDemo(Vendor):
    """Customer care: fourteen exports; the one of publishing is not selected."""

    tap = TapKhorosAnalytics

    def __init__(self, days: Days) -> None:
        super().__init__(days)
        self.api = Khoros(now=days.noon_after)

    @override
    @contextlib.contextmanager
    def serving(self) -> Iterator[Settings]:
        with self.api.serving() as at:
            yield {
                "API_URL": at.api,
                "USERNAME": "analytics-user",
                "PASSWORD": "demo-password",
                "COMPANY_KEY": "demo-company",
                "POLL_INTERVAL_MS": "50",
                "REQUESTS_PER_MINUTE": "100000",
            }

    @override
    def streams(self) -> list[str]:
        return [export.id for export in EXPORTS.values() if export.selected]

    @override
    def expected(self, stream: str) -> Rows:
        export = EXPORTS[stream]
        rows: Rows = Counter()
        for day in self.days:
            window = self._window(stream, day)
            # A row at midnight is in two windows with the same key, but rows of aggregates differ.
            rows = rows + window if export.aggregate else rows | window
        return rows

    def _window(self, stream: str, day: date) -> Rows:
        parameters = {"timezone": "UTC"} if EXPORTS[stream].has_timezone else {}
        if stream == "team_performance_interval":
            parameters["timeInterval"] = "3600000"
        if stream == "conversation":
            kinds = ("CREATED", "CLOSED", "OPEN_AT_END")
            found = (self._rows(stream, day, conversationReportType=k, **parameters) for k in kinds)
            return Counter({(row["CONVERSATION_ID"],): 1 for rows in found for row in rows})
        if stream == "conversation_history_action":
            parameters["raiselimit"] = "true"
        fields = self._fields(stream)
        rows = self._rows(stream, day, **parameters)
        return Counter(tuple(row.get(metric) for metric in fields.values()) for row in rows)

    def _rows(self, stream: str, day: date, **parameters: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.api.data.rows(
            stream, day, day + timedelta(days=1), **parameters
        )
        return rows

    def _fields(self, stream: str) -> dict[str, str]:
        """Return the tap's field for each of the tenant's columns, sorted by field."""
        columns = columns_from(stream, self.api.data.enabled_columns(stream))
        return {c.field: c.metric for c in sorted(columns, key=lambda column: column.field)}

    @override
    def query(self, stream: str) -> str:
        if stream == "conversation":
            return "SELECT conversation_id FROM conversation"
        fields = ", ".join(f'"{field}"' for field in self._fields(stream))
        return f'SELECT {fields} FROM "{stream}"'


DEMOS = (KindmetricsDemo, KissmetricsDemo, KhorosDemo)
