"""The settings of the raw data export, and the problems that a JSON schema cannot express."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from singer_sdk import typing as th
from tap_kit import NonEmptyList, snake_case

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from tap_kit import Config

_S3 = re.compile(r"s3://([A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9])(?:/(.*))?", re.DOTALL)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_MAX_COLUMNS = 500

EXPORT = th.ObjectType(
    th.Property(
        "product",
        th.StringType(min_length=1, max_length=100),
        required=True,
        description="Name of the product whose events the bucket has; the field `product` has it",
    ),
    th.Property(
        "url",
        th.StringType(min_length=1),
        required=True,
        description="Where index.csv is: s3://bucket/prefix, or the path of a folder",
    ),
    additional_properties=False,
)

SETTINGS = (
    th.Property(
        "raw_exports",
        NonEmptyList(EXPORT),
        title="Raw data exports",
        description="Buckets or folders with the raw data export, one for each product. They add "
        "the streams raw_*; without other settings, no credentials of the API are required",
    ),
    th.Property(
        "raw_export_columns",
        th.ArrayType(th.StringType(min_length=1)),
        title="Raw export columns",
        description="Names of properties that get a column of their own, in snake_case, in "
        "raw_events and raw_properties",
    ),
    th.Property(
        "aws_access_key_id",
        th.StringType(min_length=1),
        secret=True,
        title="AWS access key id",
        description="For raw_exports in S3. Unset: the environment, profile or role of AWS",
    ),
    th.Property(
        "aws_secret_access_key",
        th.StringType(min_length=1),
        secret=True,
        title="AWS secret access key",
        description="For raw_exports in S3, with aws_access_key_id",
    ),
    th.Property(
        "aws_endpoint_url",
        th.URIType,
        title="AWS endpoint URL",
        description="Address of an S3-compatible store for raw_exports. Unset: that of AWS",
    ),
)


class Location(NamedTuple):
    """Where a bucket is: a name and a prefix in S3, or a folder if the bucket is empty."""

    bucket: str
    path: str


def location_of(url: str) -> Location | None:
    """Return where the address of a raw export leads; None if it is not valid."""
    if found := _S3.fullmatch(url):
        return Location(found[1], (found[2] or "").strip("/"))
    return None if _SCHEME.match(url) or "\0" in url else Location("", url)


def problems(config: Config) -> Iterator[str]:
    """Yield what is wrong with these settings, one line per problem."""
    entries: list[Any] = [entry or {} for entry in config.get("raw_exports") or ()]
    for place, entry in enumerate(entries):
        if "url" in entry and location_of(entry["url"]) is None:
            yield f"raw_exports[{place}].url must be s3://bucket/prefix or the path of a folder"
    names = Counter(entry["product"] for entry in entries if "product" in entry)
    for name, count in names.items():
        if count > 1:
            yield f"raw_exports has two entries with the product {name}"
    keys = ("aws_access_key_id", "aws_secret_access_key")
    for one, other in (keys, keys[::-1]):
        if config.get(one) and not config.get(other):
            yield f"{other} is required with {one}"
    yield from _column_problems(config.get("raw_export_columns") or ())


def _column_problems(columns: Any) -> Iterator[str]:
    given = [column for column in columns if column is not None]
    if len(given) > _MAX_COLUMNS:
        yield f"raw_export_columns must have at most {_MAX_COLUMNS} names"
    fields = Counter(snake_case(column) for column in {*given})
    for field, count in fields.items():
        if count > 1:
            yield f"raw_export_columns has two names for the column {field}"
