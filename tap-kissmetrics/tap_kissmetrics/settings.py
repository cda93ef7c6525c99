"""The settings of the tap, and which of them belong to which version of the API."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th
from tap_kit import (
    MAX_NAME_LENGTH,
    NonEmptyList,
    common_settings,
    polling_settings,
    snake_case,
)

from tap_kissmetrics.lists.envelope import MAX_DIGITS
from tap_kissmetrics.raw_exports.settings import SETTINGS as RAW_SETTINGS
from tap_kissmetrics.versions import OF_ALL_VERSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_kit import Config

    from tap_kissmetrics.versions import Version

# Ids are UUIDs in the Core API and integers in version 3, where a text of digits is accepted too.
ID = th.CustomType({"type": ["string", "integer"], "minLength": 1})

REPORT = (
    th.Property("id", ID, required=True, description="Id of the report (core: UUID, v3: number)"),
    th.Property(
        "name",
        th.StringType(min_length=1),
        description="With `columns`: the report gets a stream of its own, report_<name>",
    ),
    th.Property(
        "columns",
        th.ArrayType(th.StringType),
        description="Labels of the report's columns after the person; the API does not send them",
    ),
    th.Property(
        "saved_dates",
        th.BooleanType,
        description="v3: run it once per sync with its saved dates, instead of for each window",
    ),
)

SELECTION = (
    th.Property(
        "product_ids",
        NonEmptyList(ID),
        title="Product ids",
        description="The products to read. Unset: all that the credentials can access",
    ),
    th.Property(
        "page_size",
        th.IntegerType(minimum=1, maximum=10_000),
        default=1000,
        title="Page size",
        description="Records to request per page; the server may send fewer",
    ),
    th.Property(
        "reports",
        NonEmptyList(th.ObjectType(*REPORT, additional_properties=False)),
        title="Reports",
        description="The reports to run. Unset: every report that the API can run",
    ),
)

TRACKING_KEY = th.Property(
    "include_tracking_key",
    th.BooleanType,
    default=False,
    title="Include the tracking key",
    description="Include each product's tracking key, with which anyone can write to the product",
)


def settings_of(versions: Mapping[str, Version]) -> dict[str, Any]:
    """Return the JSON schema of the settings of these versions."""
    described = "; ".join(f"{name}: {one.description}" for name, one in versions.items())
    limits = (
        f"{one.requests_per_minute or 'no limit'} in {name}" for name, one in versions.items()
    )
    credentials = (f"{name} with {one.required}" for name, one in versions.items())
    by_credentials = f"the first of these whose credentials are set ({', '.join(credentials)})"
    api_version = th.Property(
        "api_version",
        th.StringType(allowed_values=[*versions]),
        title="API version",
        description=f"{described}. Unset: {by_credentials}",
    )
    settings: list[th.Property[Any]] = [
        api_version,
        *(setting for one in versions.values() for setting in one.access),
        *SELECTION,
        *(setting for one in versions.values() for setting in one.selection),
        *polling_settings("query", first_ms=2000, longest_ms=30_000, timeout_s=3600),
        TRACKING_KEY,
        *RAW_SETTINGS,
        *common_settings(
            lookback_days=1,
            time_zone="the product's timezone",
            unset_budget=", ".join(limits),
        ),
    ]
    by_name = {setting.name: setting for setting in settings}  # versions can share a setting
    return th.PropertiesList(*by_name.values()).to_dict()


def entry_problems(config: Config, name: str, version: Version) -> Iterator[str]:
    """Return the ids in lists that do not fit this version of the API."""
    for where, value in _ids(config, version):
        if version.id_type is str and not isinstance(value, str):
            yield f"{where} must be a string in api_version {name}"
        if version.id_type is int and not _is_number(value):
            yield f"{where} must be a whole number in api_version {name}"


def _ids(config: Config, version: Version) -> Iterator[tuple[str, Any]]:
    own = {*OF_ALL_VERSIONS, *version.settings}  # the others are ignored
    for name in ("product_ids", "metric_ids"):
        yield from _entries(config, name) if name in own else ()
    for name, field in (("reports", "id"), ("queries", "product_id")):
        for where, entry in _entries(config, name) if name in own else ():
            if entry.get(field) is not None:
                yield f"{where}.{field}", entry[field]


def _entries(config: Config, name: str) -> Iterator[tuple[str, Any]]:
    """Yield the valid entries of a list, each with its place."""
    for place, entry in enumerate(config.get(name) or ()):
        if entry is not None:
            yield f"{name}[{place}]", entry


def _is_number(value: str | int) -> bool:
    if isinstance(value, int):
        return True
    return value.isascii() and value.isdecimal() and len(value) <= MAX_DIGITS


def name_problems(config: Config) -> Iterator[str]:
    """Return which ids and names of reports and queries are not unique, a line each."""
    reports, queries = ([entry for _, entry in _entries(config, n)] for n in ("reports", "queries"))
    ids = [str(entry["id"]) for entry in reports if "id" in entry]
    names = [stream_part(entry) for entry in filter(has_stream, reports)]
    yield from (f"reports has two entries with the id {one}" for one in _repeated(ids))
    yield from (f"reports has two entries with the name {one}" for one in _repeated(names))
    if "results" in names:
        yield "reports must have no entry with the name results: another stream has it"
    own = [entry["name"] for entry in queries if "name" in entry]
    yield from (f"queries has two entries with the name {one}" for one in _repeated(own))


def has_stream(entry: Any) -> bool:
    """Return whether an entry of ``reports`` has what a stream of its own needs."""
    if not isinstance(entry, dict):
        return False
    report_id, name, columns = (entry.get(field) for field in ("id", "name", "columns"))
    texts = [name, *columns] if columns and isinstance(columns, list) else [None]
    return bool(report_id) and all(text and isinstance(text, str) for text in texts)


def stream_part(entry: Mapping[str, Any]) -> str:
    """Return what follows ``report_`` in the name of a report's stream."""
    return snake_case(entry["name"])[: MAX_NAME_LENGTH - len("report_")].rstrip("_")


def _repeated(values: Sequence[str]) -> list[str]:
    return [value for value, count in Counter(values).items() if count > 1]
