"""Settings and streams of the tap."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th
from tap_kit.errors import PartitionUnavailable, setting_error
from tap_kit.names import LONGEST, snake_case
from tap_kit.settings import TOKEN_TEXT, common_settings
from tap_kit.tap import KitTap
from typing_extensions import override

from tap_kissmetrics import core_streams, report_streams
from tap_kissmetrics.client import NOT_FOUND, Client
from tap_kissmetrics.once import Once
from tap_kissmetrics.reports import Reports

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from singer_sdk import Stream
    from tap_kit.jobs import JobRunner

CORE_STREAMS = (
    core_streams.Accounts,
    core_streams.Products,
    core_streams.Reports,
    core_streams.Events,
    core_streams.Properties,
    core_streams.Metrics,
)
LONGEST_POLL_PAUSE_S = 30.0
POLL_GROWTH = 1.2  # most reports take seconds, and no limit of requests is documented

REPORT = (
    th.Property(
        "id", th.StringType(min_length=1), required=True, description="The report's id (UUID)"
    ),
    th.Property(
        "name",
        th.StringType(min_length=1),
        description="With `columns`: the report gets a stream of its own, report_<name>",
    ),
    th.Property(
        "columns",
        th.ArrayType(th.StringType),
        description="Labels of the report's columns after the person, as the API names none",
    ),
)

SETTINGS = (
    th.Property(
        "api_token",
        th.StringType(min_length=1, pattern=TOKEN_TEXT),
        required=True,
        secret=True,
        title="API token",
        description="A personal token, from Account settings, Manage API Tokens",
    ),
    th.Property(
        "api_url",
        th.URIType,
        default="https://api.kissmetrics.com",
        title="API URL",
        description="Address of the Core API",
    ),
    th.Property(
        "query_url",
        th.URIType,
        default="https://query.kissmetrics.com",
        title="Query URL",
        description="Address of the API that runs reports",
    ),
    th.Property(
        "product_ids",
        th.ArrayType(th.StringType),
        title="Product ids",
        description="The products to read. Unset: all that the token sees",
    ),
    th.Property(
        "page_size",
        th.IntegerType(minimum=1, maximum=10_000),
        default=1000,
        title="Page size",
        description="Records asked for at a time; the server may give less",
    ),
    th.Property(
        "reports",
        th.ArrayType(th.ObjectType(*REPORT, additional_properties=False)),
        title="Reports",
        description="The reports to run. Unset: every report that can be run",
    ),
    th.Property(
        "poll_interval_ms",
        th.IntegerType(minimum=1, maximum=30_000),
        default=2000,
        title="Poll interval",
        description="Milliseconds before the first look at a running report; growing to 30000",
    ),
    th.Property(
        "poll_timeout",
        th.IntegerType(minimum=1, maximum=604_800),
        default=3600,
        title="Poll time-out",
        description="Seconds after which a report that is still running is given up",
    ),
    th.Property(
        "include_tracking_key",
        th.BooleanType,
        default=False,
        title="Include the tracking key",
        description="Whether products have their tracking key, which lets anyone write to them",
    ),
    *common_settings(lookback_days=1),
)


class TapKissmetrics(KitTap):
    """Reads a Kissmetrics account: what is tracked, and the people that its reports find."""

    name = "tap-kissmetrics"
    config_jsonschema = th.PropertiesList(*SETTINGS).to_dict()

    @override
    def discover_streams(self) -> list[Stream]:
        core: list[Stream] = [stream_type(self) for stream_type in CORE_STREAMS]
        return [*core, report_streams.ReportResults(self), *self._named_reports()]

    def _named_reports(self) -> Iterator[Stream]:
        for entry in self._entries_with_streams():
            yield report_streams.NamedReport(self, entry["id"], _name_of(entry), entry["columns"])

    def _entries_with_streams(self) -> list[dict[str, Any]]:
        """Those of ``reports``; wrong ones are told later, when the streams are made already."""
        entries = self.config.get("reports")
        return list(filter(_has_stream, entries)) if isinstance(entries, list) else []

    @override
    def config_problems(self) -> Iterator[str]:
        problems = list(super().config_problems())
        yield from problems
        if any(problem.startswith("reports") for problem in problems):
            return
        ids = [entry["id"] for entry in self.config.get("reports") or []]
        names = [_name_of(entry) for entry in self._entries_with_streams()]
        yield from (f"reports: the id {one} is there twice" for one in _repeated(ids))
        yield from (f"reports: two are named {one}" for one in _repeated(names))
        if "results" in names:
            yield "reports: `results` is the name of the stream of all reports, choose another"

    @cached_property
    def client(self) -> Client:
        """Both hosts of the API with this run's settings."""
        return Client(self)

    @cached_property
    def reports(self) -> Reports:
        """The reports that are run."""
        return Reports(self)

    @cached_property
    def runs(self) -> Once[str]:
        """Where the results of the runs of this sync are."""
        return Once()

    @cached_property
    def job_runner(self) -> JobRunner:
        """How running reports are waited for."""
        return self.waiting_for_jobs(longest_s=LONGEST_POLL_PAUSE_S, growth=POLL_GROWTH)

    @override
    def check_access(self) -> str:
        try:
            page = self.client.page("/core/accounts?limit=1&offset=0")
        except PartitionUnavailable as error:
            setting = "api_url" if str(error) == NOT_FOUND else "api_token"
            problem = f"the server refuses the list of accounts: {error}"
            raise setting_error(setting, problem) from None
        count = page.facts.size if page.facts.total is None else page.facts.total
        return f"The token works; it sees {count} account(s)"


def _has_stream(entry: Any) -> bool:
    if not isinstance(entry, dict):
        return False
    report_id, name, columns = (entry.get(field) for field in ("id", "name", "columns"))
    texts = [report_id, name, *columns] if columns and isinstance(columns, list) else [None]
    return all(text and isinstance(text, str) for text in texts)


def _name_of(entry: Mapping[str, Any]) -> str:
    """What stands behind ``report_`` in the name of a report's stream."""
    return snake_case(entry["name"])[: LONGEST - len("report_")].rstrip("_")


def _repeated(values: Sequence[str]) -> list[str]:
    return [value for value, count in Counter(values).items() if count > 1]
