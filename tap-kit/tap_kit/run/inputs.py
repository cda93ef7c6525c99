"""The files that a user hands to a tap: settings, state, catalog; told in a line when unusable."""

from __future__ import annotations

import contextlib
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from singer_sdk.helpers._util import load_json  # what the SDK's own `invoke` reads its files with

from tap_kit.errors import setting_error

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from singer_sdk import Stream
    from singer_sdk.singerlib import CatalogEntry

    from tap_kit.tap import KitTap


class _Jobs(Struct):
    jobs: dict[str, dict[str, str]] | UnsetType = UNSET  # see `jobs.JobBook`


class _Partition(_Jobs, kw_only=True):
    context: dict[str, Any]


class _Bookmark(_Jobs):
    partitions: list[_Partition] | UnsetType = UNSET


class State(Struct):
    """What a Singer state has to look like, as far as a tap relies on it."""

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
    """What a Singer catalog has to look like."""

    streams: list[_CatalogEntry]


def load_input(file: IO[str] | None, option: str, shape: type[Struct]) -> dict[str, Any] | None:
    """What the file of an option holds: JSON of a ``shape``; None without a file.

    Raises:
        ConfigValidationError: when it holds something else; names the option and the place.
    """
    if file is None:
        return None
    try:
        value: dict[str, Any] = load_json(file.read())
    except ValueError as error:
        problem = f"the file is not JSON: {error}"
        raise setting_error(option, problem) from None
    try:
        msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        problem = f"the file holds no Singer {option.strip('-')}: {error}"
        raise setting_error(option, problem) from None
    return value


@contextlib.contextmanager
def as_config_errors() -> Iterator[None]:
    """Inside, a file of settings that cannot be read is an error of ``--config``.

    Raises:
        ConfigValidationError: in place of what the SDK's own reading raises.
    """
    try:
        yield
    except OSError as error:
        raise setting_error("--config", str(error)) from None  # noqa: EM101
    except (TypeError, ValueError) as error:
        problem = f"the file is no JSON object: {error}"
        raise setting_error("--config", problem) from None  # noqa: EM101


def catalog_problems(tap: KitTap) -> Iterator[str]:
    """What keeps a catalog from being one of this tap, a line each; what it has besides is told."""
    catalog = tap.input_catalog
    if catalog is None:
        return
    unknown = sorted(catalog.keys() - tap.streams.keys())
    if catalog and len(unknown) == len(catalog):
        yield "--catalog: none of its streams is a stream of this tap; discover again"
        return
    if unknown:
        tap.logger.warning("--catalog: unknown streams are passed over: %s", ", ".join(unknown))
    for name, stream in tap.streams.items():
        entry = catalog.get_stream(name)
        if entry is None or not stream.selected:
            continue
        if entry.stream and entry.stream != name:
            yield f"--catalog: the stream {name} has another name there; discover again"
        fields = entry.schema.to_dict().get("properties", {})
        typed = {field for field, definition in fields.items() if definition.get("type")}
        _tell_unknown_fields(tap, name, entry, fields.keys())
        replicated_by = {stream.replication_key} if stream.replication_key else set()
        needed = {*(stream.primary_keys or ()), *_shaped(stream)} - fields.keys()
        if missing := sorted(needed | (replicated_by - typed)):
            yield f"--catalog: the stream {name} lacks {', '.join(missing)}; discover again"


def _shaped(stream: Stream) -> set[str]:
    """The fields that a stream's rows cannot be made without, whatever is selected."""
    of_answers = getattr(stream, "answer_fields", None)  # a stream of the SDK's own has none
    if of_answers is None:
        return set()
    shaped = {*of_answers.own, *of_answers.needed} - {*of_answers.other}
    return shaped & {*stream.schema["properties"]}  # some come and go with a setting


def _tell_unknown_fields(
    tap: KitTap, name: str, entry: CatalogEntry, fields: AbstractSet[str]
) -> None:
    chosen = {path[1] for path in entry.metadata if len(path) > 1}
    if unknown := sorted(chosen - fields):
        names = ", ".join(unknown)
        tap.logger.warning("--catalog: unknown fields of %s are passed over: %s", name, names)


@contextlib.contextmanager
def sdk_config_warning_silenced(logger: logging.Logger) -> Iterator[None]:
    """Keep the SDK from warning of wrong settings: we say which, it says only that there are."""

    def other(record: logging.LogRecord) -> bool:
        return record.msg != "Config validation failed"

    logger.addFilter(other)
    try:
        yield
    finally:
        logger.removeFilter(other)
