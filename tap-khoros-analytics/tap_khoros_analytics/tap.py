"""Settings and streams of the tap."""

from __future__ import annotations

import difflib
from functools import cached_property
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th
from tap_kit.jobs import JobRunner, Pace
from tap_kit.settings import common_settings
from tap_kit.tap import KitTap
from typing_extensions import override

from tap_khoros_analytics import discovery, streams
from tap_khoros_analytics.client import Client
from tap_khoros_analytics.columns import attested, columns_from, columns_of
from tap_khoros_analytics.exports import EXPORTS, INTERVALS_MS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk import Stream

    from tap_khoros_analytics.columns import Column
    from tap_khoros_analytics.exports import Export

LONGEST_POLL_PAUSE_S = 120.0

EXPORT_OPTIONS = th.ObjectType(
    th.Property("columns", th.ArrayType(th.StringType), description="The columns, metric ids"),
    th.Property("primary_key", th.ArrayType(th.StringType), description="The key's columns"),
    th.Property("filters", th.ObjectType(additional_properties=True), description="Filters"),
    th.Property("method", th.StringType(allowed_values=["GET", "POST"]), description="Method"),
    additional_properties=False,
)

SETTINGS = (
    th.Property(
        "username",
        th.StringType(min_length=1),
        required=True,
        title="User name",
        description="Of the dedicated user of type Analytics",
    ),
    th.Property(
        "password",
        th.StringType(min_length=1),
        required=True,
        secret=True,
        title="Password",
        description="Of that user",
    ),
    th.Property(
        "company_key",
        th.StringType(min_length=1),
        required=True,
        secret=True,
        title="Company key",
        description="From Account Admin, General Settings, Analytics API Settings",
    ),
    th.Property(
        "region",
        th.StringType(allowed_values=["us", "emea"]),
        default="us",
        title="Region",
        description="Where the data is hosted: us or emea",
    ),
    th.Property(
        "api_url",
        th.URIType,
        title="API URL",
        description="Address of the API, where it is neither region's",
    ),
    th.Property(
        "locale",
        th.StringType(min_length=1),
        default="en",
        title="Locale",
        description="Language of the texts and of CSV headers",
    ),
    th.Property(
        "timezone",
        th.StringType(min_length=1),
        default="UTC",
        title="Time zone",
        description="Zone in which the vendor writes times, an id of the stream timezones",
    ),
    th.Property(
        "report_format",
        th.StringType(allowed_values=["json", "csv"]),
        default="json",
        title="Report format",
        description="How exports are downloaded: json or csv",
    ),
    th.Property(
        "exports",
        th.ObjectType(additional_properties=EXPORT_OPTIONS),
        default={},
        title="Exports",
        description="Options by export id: columns, primary_key, filters, method",
    ),
    th.Property(
        "conversation_report_types",
        th.ArrayType(th.StringType(allowed_values=["CREATED", "CLOSED", "OPEN_AT_END"])),
        default=["CREATED", "CLOSED", "OPEN_AT_END"],
        title="Conversation report types",
        description="Which conversations a window has; CREATED and CLOSED miss those still open",
    ),
    th.Property(
        "time_interval",
        th.IntegerType(minimum=300_000),
        default=3_600_000,
        title="Time interval",
        description="Milliseconds of an interval of team_performance_interval",
    ),
    th.Property(
        "discover_columns",
        th.BooleanType,
        default=True,
        title="Discover columns",
        description="Whether discovery learns each export's columns from the tenant",
    ),
    th.Property(
        "poll_interval_ms",
        th.IntegerType(minimum=1, maximum=120_000),
        default=5000,
        title="Poll interval",
        description="Milliseconds before the first look at a running job; growing to 120000",
    ),
    th.Property(
        "poll_timeout",
        th.IntegerType(minimum=1),
        default=7200,
        title="Poll time-out",
        description="Seconds after which a job that is still running is given up",
    ),
    *common_settings(lookback_days=0, requests_per_minute=20, max_concurrency=6),
)


class TapKhorosAnalytics(KitTap):
    """Reads the exports of Khoros Care analytics: conversations, responses, agents, teams."""

    name = "tap-khoros-analytics"
    config_jsonschema = th.PropertiesList(*SETTINGS).to_dict()

    @override
    def discover_streams(self) -> list[Stream]:
        columns = self._columns()
        exports = [streams.ExportStream(self, e, columns[e.id]) for e in EXPORTS.values()]
        return [*exports, streams.Teams(self), streams.Timezones(self)]

    def _columns(self) -> dict[str, list[Column]]:
        """The columns of each export: the catalog's, the settings', the tenant's, the attested."""
        columns = {export_id: list(attested(export_id)) for export_id in EXPORTS}
        to_learn = []
        for export in EXPORTS.values():
            given = self._given_columns(export)
            if given is not None:
                columns[export.id] = given
            else:
                to_learn.append(export)
        if self._can_learn():
            columns.update((e.id, found) for e, found in discovery.learned(self, to_learn))
        return columns

    def _given_columns(self, export: Export) -> list[Column] | None:
        """The columns that need no asking; None where there are none."""
        entry = self.input_catalog.get_stream(export.id) if self.input_catalog else None
        if entry is not None:
            return columns_of(entry.schema.to_dict())
        names = self.options(export.id).get("columns")
        return columns_from(export.id, names) if names else None

    def _can_learn(self) -> bool:
        if self.input_catalog is not None or not self.config.get("discover_columns"):
            return False
        return not list(self.config_problems())

    def options(self, export_id: str) -> dict[str, Any]:
        """What the settings say of an export."""
        options: dict[str, Any] = self.config.get("exports", {}).get(export_id, {})
        return options

    @override
    def config_problems(self) -> Iterator[str]:
        problems = list(super().config_problems())
        yield from problems
        if not any(problem.startswith("exports") for problem in problems):
            yield from self._export_problems()
        interval = self.config.get("time_interval")
        known = interval in INTERVALS_MS or (interval or 0) > INTERVALS_MS[-1]
        if isinstance(interval, int) and not known:
            yield f"time_interval: has to be one of {', '.join(map(str, INTERVALS_MS))}"

    def _export_problems(self) -> Iterator[str]:
        for export_id, options in (self.config.get("exports") or {}).items():
            export = EXPORTS.get(export_id)
            if export is None:
                near = difflib.get_close_matches(export_id, EXPORTS, n=1)
                hint = f" (did you mean {near[0]}?)" if near else ""
                yield f"exports.{export_id}: there is no such export{hint}"
                continue
            filters = options.get("filters") or {}
            for name in filters.keys() - set(export.filters):
                yield (
                    f"exports.{export_id}.filters.{name}: is not a filter of this export; "
                    f"it has {', '.join(export.filters)}"
                )
            if "businessHourType" in filters and filters.get("enableBusinessHour") is not True:
                yield (
                    f"exports.{export_id}.filters.businessHourType: needs enableBusinessHour: true"
                )

    @cached_property
    def client(self) -> Client:
        """The API with this run's settings."""
        return Client(self)

    @cached_property
    def methods(self) -> dict[str, str]:
        """By which method each export is started, where it is not the documented one."""
        chosen = ((export_id, self.options(export_id).get("method")) for export_id in EXPORTS)
        return {export_id: method for export_id, method in chosen if method}

    @cached_property
    def job_runner(self) -> JobRunner:
        """How running jobs are waited for."""
        first_s = self.config["poll_interval_ms"] / 1000
        pace = Pace(first_s, LONGEST_POLL_PAUSE_S, self.config["poll_timeout"])
        return JobRunner(pace, self.throttle.sleep)

    @override
    def check_access(self) -> str:
        teams = self.client.look_up("/teams", {})
        return f"The credentials work; the company has {len(teams)} team(s)"
