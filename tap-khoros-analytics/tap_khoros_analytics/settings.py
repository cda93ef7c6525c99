"""The settings, and the problems with them that a JSON schema cannot express."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th
from tap_kit import common_settings, polling_settings

from tap_khoros_analytics.exports.definitions import (
    BOOLEANS,
    EXPORTS,
    INTERVALS_MS,
    SINGLE,
    export_options,
)
from tap_khoros_analytics.exports.types import TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_kit import Config

    from tap_khoros_analytics.exports.definitions import Export

EXPORT_OPTIONS = th.ObjectType(
    th.Property(
        "columns",
        th.ArrayType(th.StringType),
        description="Metric ids of the columns to read. Unset: the tenant's columns",
    ),
    th.Property(
        "types",
        th.ObjectType(additional_properties=th.StringType(allowed_values=list(TYPES))),
        description="Types of columns, by name: "
        "text, integer, number, boolean, date-time or duration",
    ),
    th.Property(
        "primary_key",
        th.ArrayType(th.StringType),
        description="Columns of the primary key. Unset: the export's key, or a hash of the row",
    ),
    th.Property(
        "filters",
        th.ObjectType(additional_properties=True),
        description="Filters by the vendor's parameter name",
    ),
    th.Property(
        "method",
        th.StringType(allowed_values=["GET", "POST"]),
        description="HTTP method of the request that starts the export",
    ),
    additional_properties=False,
)

SETTINGS = (
    th.Property(
        "username",
        th.StringType(min_length=1),
        required=True,
        secret=True,
        title="User name",
        description="Name of the dedicated API user, whose type is Analytics",
    ),
    th.Property(
        "password",
        th.StringType(min_length=1),
        required=True,
        secret=True,
        title="Password",
        description="Password of the API user",
    ),
    th.Property(
        "company_key",
        th.StringType(min_length=1),
        required=True,
        secret=True,
        title="Company key",
        description="Company key from Account Admin, General Settings, Analytics API Settings",
    ),
    th.Property(
        "region",
        th.StringType(allowed_values=["us", "emea"]),
        default="us",
        title="Region",
        description="Region that hosts the data: us or emea",
    ),
    th.Property(
        "api_url",
        th.URIType,
        title="API URL",
        description="Address of the API. Unset: the address of the region",
    ),
    th.Property(
        "locale",
        th.StringType(min_length=1),
        default="en",
        title="Locale",
        description="Language of texts and CSV headers",
    ),
    th.Property(
        "timezone",
        th.StringType(min_length=1),
        default="UTC",
        title="Time zone",
        description="Time zone of the times in exports: an id from the stream timezones",
    ),
    th.Property(
        "report_format",
        th.StringType(allowed_values=["json", "csv"]),
        default="json",
        title="Report format",
        description="Format in which exports are downloaded: json or csv",
    ),
    th.Property(
        "exports",
        th.ObjectType(additional_properties=EXPORT_OPTIONS),
        default={},
        title="Exports",
        description="Options by export id: columns, types, primary_key, filters, method",
    ),
    th.Property(
        "conversation_report_types",
        th.ArrayType(th.StringType(allowed_values=["CREATED", "CLOSED", "OPEN_AT_END"])),
        default=["CREATED", "CLOSED", "OPEN_AT_END"],
        title="Conversation report types",
        description="Conversations to read for each window. "
        "CREATED and CLOSED together miss those that stay open",
    ),
    th.Property(
        "time_interval",
        th.IntegerType(minimum=300_000, maximum=31_536_000_000),
        default=3_600_000,
        title="Time interval",
        description="Length of an interval of team_performance_interval, in milliseconds",
    ),
    th.Property(
        "discover_columns",
        th.BooleanType,
        default=True,
        title="Discover columns",
        description="Request the columns of each export from the tenant during discovery",
    ),
    th.Property(
        "column_types",
        th.StringType(allowed_values=["text", "typed"]),
        default="text",
        title="Types of columns",
        description="text: every column is a text, as the vendor sends it. "
        "typed: discovery learns the types; for tables that do not exist yet",
    ),
    th.Property(
        "discovery_max_age",
        th.IntegerType(minimum=0, maximum=8_760),
        default=20,
        title="Maximum age of discovered columns",
        description="Hours for which discovery reuses stored columns that no run has confirmed. "
        "0: request them in every discovery",
    ),
    th.Property(
        "discovery_folder",
        th.StringType(min_length=1),
        title="Folder of discovered columns",
        description="Folder in which discovered columns are stored. "
        "Unset: under Meltano its folder .meltano/run, otherwise they are not stored",
    ),
    *polling_settings("job", first_ms=5000, longest_ms=120_000, timeout_s=7200),
    *common_settings(lookback_days=0, requests_per_minute=20, max_concurrency=6),
)


def problems(config: Config) -> Iterator[str]:
    """Return what is wrong with settings that fit their schema, a line each, without the values."""
    for export_id in config.get("exports", ()):
        if export := EXPORTS.get(export_id):
            filters = export_options(config, export_id).get("filters", {})
            yield from _filter_problems(export, filters)
        else:
            near = difflib.get_close_matches(export_id, EXPORTS, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            yield f"exports.{export_id} is not an export{hint}"
    interval = config.get("time_interval")
    is_within = type(interval) is int and INTERVALS_MS[0] <= interval <= INTERVALS_MS[-1]
    if is_within and interval not in INTERVALS_MS:
        yield f"time_interval must be one of {', '.join(map(str, INTERVALS_MS))}, or larger"
    if config.get("conversation_report_types") == []:
        yield "conversation_report_types must not be empty"


def _filter_problems(export: Export, filters: Mapping[str, Any]) -> Iterator[str]:
    where = f"exports.{export.id}.filters"
    for name, value in filters.items():
        if export.filters is not None and name not in export.filters:
            valid = ", ".join(export.filters)
            yield f"{where}.{name} is not a filter of this export; use one of {valid}"
        elif problem := _value_problem(name, value):
            yield f"{where}.{name} {problem}"
    if "businessHourType" in filters and filters.get("enableBusinessHour") is not True:
        yield f"{where}.businessHourType needs enableBusinessHour to be true"


def _value_problem(name: str, value: Any) -> str | None:
    if name in BOOLEANS:
        return None if isinstance(value, bool) else "must be true or false"
    values = value if isinstance(value, list) and name not in SINGLE else [value]
    if not values or any(type(item) not in {str, int} for item in values):
        kind = "a string or a number" if name in SINGLE else "a string, a number or a list of them"
        return f"must be {kind}"
    if name == "priorities":
        parts = [part for item in values for part in str(item).split(",")]
        return None if {*parts} <= {*"012345"} else "must have values from 0 to 5"
    return None
