"""The settings of the tap, and which of them belong to which version of the API."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from singer_sdk import Stream, Tap
    from tap_kit import Config, Run, Work

    from tap_kissmetrics.client import Client, Id
    from tap_kissmetrics.reports.saved import Account

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


@dataclass(frozen=True)
class Version:
    """A version of the API: its settings, its limits, and what the tap reads with it.

    ``access`` are its addresses and credentials; ``selection`` says what only this version can
    read. ``report_settings`` are the settings of a report that it has beyond those of all versions.
    ``polling_share`` is the share of the rate limit that polls may use.
    """

    description: str
    access: Sequence[th.Property[Any]]
    required: str  # one of ``access``
    id_type: type[str | int]
    open_client: Callable[[Run], Client]
    streams: Sequence[Callable[[Tap, Account[Any]], Stream]]
    report_stream: Callable[[Tap, Account[Any], Id, str, Sequence[str]], Stream]
    selection: Sequence[th.Property[Any]] = ()
    report_settings: Sequence[str] = ()
    requests_per_minute: int | None = None
    polling_share: float | None = None
    on_plan: Callable[[Run, Sequence[Work]], None] = lambda _run, _work: None

    @property
    def settings(self) -> list[str]:
        """The names of the settings that not every version has."""
        return [setting.name for setting in (*self.access, *self.selection)]


def settings_of(versions: Mapping[str, Version]) -> dict[str, Any]:
    """Return the JSON schema of the settings of these versions; the first one is the default."""
    described = "; ".join(f"{name}: {one.description}" for name, one in versions.items())
    limits = (
        f"{one.requests_per_minute or 'no limit'} in {name}" for name, one in versions.items()
    )
    api_version = th.Property(
        "api_version",
        th.StringType(allowed_values=[*versions]),
        default=next(iter(versions)),
        title="API version",
        description=described,
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


def version_problems(
    config: Config, versions: Mapping[str, Version], properties: Mapping[str, Any]
) -> Iterator[str]:
    """Return the settings that do not fit ``api_version``, which must be valid, a line each.

    A setting of another version may be present with its default, or empty: Meltano sends all
    defaults, and a line in ``.env`` without a value is an empty text.
    """
    name, version = _selected(config, versions)
    if not config.get(version.required) and not has_raw_exports_alone(config, versions):
        problem = "must not be empty" if version.required in config else "is required"
        yield f"{version.required} {problem}"
    for setting in dict.fromkeys(setting for one in versions.values() for setting in one.settings):
        default = properties[setting].get("default")
        if setting not in version.settings and config.get(setting) not in (None, "", default):
            owners = [owner for owner, one in versions.items() if setting in one.settings]
            yield f"{setting} {_belongs_to(owners, name)}"


def has_raw_exports_alone(config: Config, versions: Mapping[str, Version]) -> bool:
    """Return whether there are raw exports to read, and no credentials of the API."""
    required = [one.required for one in versions.values()]
    return bool(config.get("raw_exports")) and not any(map(config.get, required))


def entry_problems(config: Config, versions: Mapping[str, Version]) -> Iterator[str]:
    """Return the entries of lists that do not fit ``api_version``, which must be valid."""
    name, version = _selected(config, versions)
    for where, value in _ids(config):
        if version.id_type is str and not isinstance(value, str):
            yield f"{where} must be a string in api_version {name}"
        if version.id_type is int and not _is_number(value):
            yield f"{where} must be a whole number in api_version {name}"
    for where, entry in _entries(config, "reports"):
        for setting in entry.keys() - {*version.report_settings}:
            owners = [owner for owner, one in versions.items() if setting in one.report_settings]
            if owners:
                yield f"{where}.{setting} {_belongs_to(owners, name)}"


def _selected(config: Config, versions: Mapping[str, Version]) -> tuple[str, Version]:
    name: str = config.get("api_version", next(iter(versions)))
    return name, versions[name]


def _belongs_to(owners: Sequence[str], selected: str) -> str:
    return f"belongs to api_version {' or '.join(owners)}, but api_version is {selected}"


def _ids(config: Config) -> Iterator[tuple[str, Any]]:
    for name in ("product_ids", "metric_ids"):
        yield from _entries(config, name)
    for name, field in (("reports", "id"), ("queries", "product_id")):
        for where, entry in _entries(config, name):
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
