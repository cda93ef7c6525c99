"""The settings of the tap, and which of them belong to which version of the API."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th
from tap_kit.jobs.runner import polling_settings
from tap_kit.rows.names import LONGEST_NAME, snake_case
from tap_kit.run.settings import TOKEN_TEXT, common_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_kit.run.settings import Config

CORE, V3 = "core", "v3"
REQUIRED = {CORE: "api_token", V3: "username"}
OF_VERSION = {
    CORE: ("api_token", "api_url", "query_url"),
    V3: ("username", "password", "v3_url", "metric_ids", "queries"),
}
WITH_ENTRIES = ("product_ids", "reports", "metric_ids", "queries")
# Ids are UUIDs in the Core API and integers in version 3, where a text of digits will do too.
ID = th.CustomType({"type": ["string", "integer"], "minLength": 1})

REPORT = (
    th.Property(
        "id", ID, required=True, description="The report's id (core: a UUID, v3: a number)"
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
    th.Property(
        "saved_dates",
        th.BooleanType,
        description="v3: run it once a sync with the dates saved in it, not for each window",
    ),
)

QUERY = (
    th.Property("name", th.StringType(min_length=1), required=True, description="Our name for it"),
    th.Property(
        "query_type",
        th.StringType(min_length=1),
        required=True,
        description="The vendor's name of its type, such as sql or people_count",
    ),
    th.Property(
        "query_params",
        th.ObjectType(additional_properties=True),
        required=True,
        description="The vendor's parameters for that type, passed through as they are",
    ),
    th.Property(
        "primary_key",
        th.ArrayType(th.StringType(min_length=1)),
        description="Columns that tell the rows apart. Unset: all of them, and how often they came",
    ),
    th.Property("product_id", ID, description="The product to ask about. Unset: each product"),
)

SETTINGS = (
    th.Property(
        "api_version",
        th.StringType(allowed_values=[CORE, V3]),
        default=CORE,
        title="API version",
        description="core: the Core API and version 2 of the query API; v3: version 3",
    ),
    th.Property(
        "api_token",
        th.StringType(pattern=TOKEN_TEXT),
        secret=True,
        title="API token",
        description="core, required: a personal token, from Account settings, Manage API Tokens",
    ),
    th.Property(
        "api_url",
        th.URIType,
        default="https://api.kissmetrics.com",
        title="API URL",
        description="core: address of the Core API",
    ),
    th.Property(
        "query_url",
        th.URIType,
        default="https://query.kissmetrics.com",
        title="Query URL",
        description="core: address of the API that runs reports",
    ),
    th.Property(
        "username",
        th.StringType(pattern=r"^[^:]*$"),
        secret=True,
        title="User name",
        description="v3, required: e-mail of the login, or an API key",
    ),
    th.Property(
        "password",
        th.StringType,
        secret=True,
        title="Password",
        description="v3: password of the login; none with an API key",
    ),
    th.Property(
        "v3_url",
        th.URIType,
        default="https://query.kissmetrics.io/v3",
        title="v3 URL",
        description="v3: address of the API, its version included",
    ),
    th.Property(
        "product_ids",
        th.ArrayType(ID),
        title="Product ids",
        description="The products to read. Unset: all that the credentials see",
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
        "metric_ids",
        th.ArrayType(ID),
        title="Metric ids",
        description="v3: the metrics to read, since the API lists none. Unset: none",
    ),
    th.Property(
        "queries",
        th.ArrayType(th.ObjectType(*QUERY, additional_properties=False)),
        title="Queries",
        description="v3: queries of your own to run once a sync, SQL among them. Unset: none",
    ),
    *polling_settings("query", first_ms=2000, longest_ms=30_000, timeout_s=3600),
    th.Property(
        "include_tracking_key",
        th.BooleanType,
        default=False,
        title="Include the tracking key",
        description="Whether products have their tracking key, which lets anyone write to them",
    ),
    *common_settings(lookback_days=1, unset_budget="15 in v3, no limit in core"),
)


def version_problems(config: Config, properties: Mapping[str, Any]) -> Iterator[str]:
    """What does not fit ``api_version``, a line each.

    A setting of the other version may be there with its default, or empty: Meltano sends all
    defaults, and a line of ``.env`` that was not filled in is an empty text.
    """
    version = config.get("api_version", CORE)
    if not isinstance(version, str) or version not in OF_VERSION:
        return
    required = REQUIRED[version]
    if not config.get(required):
        yield f"{required}: {'must not be empty' if required in config else 'is required'}"
    other = V3 if version == CORE else CORE
    for name in OF_VERSION[other]:
        if config.get(name) not in (None, "", properties[name].get("default")):
            yield f"{name}: belongs to api_version {other}, and api_version is {version}"


def id_problems(config: Config) -> Iterator[str]:
    """Ids that are of the other version's kind, and what only version 3 can do."""
    version = config.get("api_version", CORE)
    for where, value in _ids(config):
        if version == CORE and isinstance(value, int):
            yield f"{where}: has to be a text in api_version core"
        if version == V3 and not (isinstance(value, int) or _is_number(value)):
            yield f"{where}: has to be a whole number in api_version v3"
    for place, entry in enumerate(config.get("reports") or ()):
        if version == CORE and "saved_dates" in entry:
            yield f"reports[{place}].saved_dates: belongs to api_version v3"


def _ids(config: Config) -> Iterator[tuple[str, Any]]:
    for name in ("product_ids", "metric_ids"):
        yield from ((f"{name}[{n}]", value) for n, value in enumerate(config.get(name) or ()))
    for name, field in (("reports", "id"), ("queries", "product_id")):
        for place, entry in enumerate(config.get(name) or ()):
            if field in entry:
                yield f"{name}[{place}].{field}", entry[field]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def name_problems(config: Config) -> Iterator[str]:
    """Reports and queries that cannot be told apart."""
    reports, queries = config.get("reports") or [], config.get("queries") or []
    ids = [str(entry["id"]) for entry in reports]
    names = [stream_part(entry) for entry in filter(has_stream, reports)]
    yield from (f"reports: the id {one} is there twice" for one in _repeated(ids))
    yield from (f"reports: two are named {one}" for one in _repeated(names))
    if "results" in names:
        yield "reports: `results` is the name of the stream of all reports, choose another"
    own = [entry["name"] for entry in queries]
    yield from (f"queries: two are named {one}" for one in _repeated(own))


def has_stream(entry: Any) -> bool:
    """Whether an entry of ``reports`` has what a stream of its own needs."""
    if not isinstance(entry, dict):
        return False
    report_id, name, columns = (entry.get(field) for field in ("id", "name", "columns"))
    texts = [name, *columns] if columns and isinstance(columns, list) else [None]
    return bool(report_id) and all(text and isinstance(text, str) for text in texts)


def stream_part(entry: Mapping[str, Any]) -> str:
    """What stands behind ``report_`` in the name of a report's stream."""
    return snake_case(entry["name"])[: LONGEST_NAME - len("report_")].rstrip("_")


def _repeated(values: Sequence[str]) -> list[str]:
    return [value for value, count in Counter(values).items() if count > 1]
