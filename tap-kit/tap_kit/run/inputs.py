"""Read the files that a user gives to a tap: settings, state, catalog."""

from __future__ import annotations

import contextlib
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from singer_sdk.helpers._util import load_json  # the SDK's own function for these files

from tap_kit.errors import setting_error

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from singer_sdk import Stream
    from singer_sdk.singerlib import Catalog as SdkCatalog
    from singer_sdk.singerlib import CatalogEntry


class _Jobs(Struct):
    jobs: dict[str, dict[str, str]] | UnsetType = UNSET  # see `jobs.JobBook`


class _Partition(_Jobs, kw_only=True):
    context: dict[str, Any]


class _Bookmark(_Jobs):
    partitions: list[_Partition] | UnsetType = UNSET


class State(Struct):
    """The shape of a Singer state, as far as a tap depends on it."""

    bookmarks: dict[str, _Bookmark] | UnsetType = UNSET


class _Metadata(Struct):
    breadcrumb: list[str]
    metadata: dict[str, Any]


_Kind = Literal["string", "integer", "number", "boolean", "array", "object", "null"]
_Kinds = Annotated[list[_Kind], Meta(min_length=1)]


class _Property(Struct):
    type: _Kind | _Kinds | UnsetType = UNSET
    title: str | None = None
    properties: dict[str, _Property] | UnsetType = UNSET
    items: _Property | UnsetType = UNSET


class _Schema(Struct):
    properties: dict[str, _Property] = {}
    required: list[str] = []


class _CatalogEntry(Struct):
    tap_stream_id: str
    schema: _Schema
    metadata: list[_Metadata] = []
    stream: str | UnsetType = UNSET
    replication_key: str | None = None
    key_properties: list[str] | None = None


class Catalog(Struct):
    """The shape of a Singer catalog."""

    streams: list[_CatalogEntry]


def load_input(file: IO[str] | None, option: str, shape: type[Struct]) -> dict[str, Any] | None:
    """Return the content of the file of an option, JSON of a ``shape``; None without a file.

    Raises:
        ConfigValidationError: if the content is not; the message names the option and the place.
    """
    if file is None:
        return None
    try:
        value: dict[str, Any] = load_json(file.read())
    except ValueError as error:
        problem = f"must be JSON: {error}"
        raise setting_error(option, problem) from None
    try:
        msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        problem = f"must be a Singer {option.strip('-')}: {error}"
        raise setting_error(option, problem) from None
    return value


@contextlib.contextmanager
def as_config_errors() -> Iterator[None]:
    """Turn errors of reading the settings inside into errors of ``--config``.

    Raises:
        ConfigValidationError: instead of the errors that the SDK raises.
    """
    try:
        yield
    except OSError as error:
        raise setting_error("--config", f"cannot be read: {error}") from None  # noqa: EM101
    except (TypeError, ValueError) as error:
        problem = f"must be a JSON object: {error}"
        raise setting_error("--config", problem) from None  # noqa: EM101


def catalog_problems(
    catalog: SdkCatalog | None, streams: Mapping[str, Stream], logger: logging.Logger
) -> Iterator[str]:
    """Yield the problems that make a catalog unusable for the ``streams`` of a tap, one per line.

    Unknown streams and fields in the catalog are logged and ignored.
    """
    if catalog is None:
        return
    unknown = sorted(catalog.keys() - streams.keys())
    if catalog and len(unknown) == len(catalog):
        yield "--catalog has no stream of this tap; run discovery again"
        return
    if unknown:
        logger.warning("Ignoring unknown streams in --catalog: %s", ", ".join(unknown))
    for name, stream in streams.items():
        entry = catalog.get_stream(name)
        if entry is None or not stream.selected:
            continue
        if entry.stream and entry.stream != name:
            yield f"--catalog renames the stream {name}; run discovery again"
        fields = entry.schema.to_dict().get("properties", {})
        typed = {field for field, definition in fields.items() if definition.get("type")}
        _log_unknown_fields(logger, name, entry, fields.keys())
        replicated_by = {stream.replication_key} if stream.replication_key else set()
        needed = {*(stream.primary_keys or ()), *_computed_from(stream)} - fields.keys()
        if missing := sorted(needed | (replicated_by - typed)):
            yield f"--catalog lacks {', '.join(missing)} of {name}; run discovery again"


def _computed_from(stream: Stream) -> set[str]:
    """Return the fields that every row needs, whatever is selected."""
    of_responses = getattr(stream, "response_fields", None)  # a plain SDK stream has none
    if of_responses is None:
        return set()
    needed = {*of_responses.computed, *of_responses.inputs} - {*of_responses.raw_types}
    return needed & {*stream.schema["properties"]}  # some depend on a setting


def _log_unknown_fields(
    logger: logging.Logger, name: str, entry: CatalogEntry, fields: AbstractSet[str]
) -> None:
    selected = {path[1] for path in entry.metadata if len(path) > 1}
    if unknown := sorted(selected - fields):
        logger.warning("Ignoring unknown fields of %s in --catalog: %s", name, ", ".join(unknown))


@contextlib.contextmanager
def sdk_config_warning_silenced(logger: logging.Logger) -> Iterator[None]:
    """Silence the SDK's warning about invalid settings: the tap logs which ones are."""

    def is_other(record: logging.LogRecord) -> bool:
        return record.msg != "Config validation failed"

    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)
