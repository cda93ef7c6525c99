"""Read a catalog: its shape, the keys that it must keep, and what makes it unusable."""

from __future__ import annotations

from collections import Counter
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType
from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL, Metadata, StreamMetadata

from tap_kit.errors import setting_error
from tap_kit.run.files import converted, is_unicode, load_json_file

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from singer_sdk import Stream
    from singer_sdk.singerlib import Catalog as SdkCatalog
    from singer_sdk.singerlib import CatalogEntry

_OPTION = "--catalog"
_AGAIN = "run discovery again"
_Method = Literal["FULL_TABLE", "INCREMENTAL"]


class _Selection(Struct, rename="kebab"):
    """The metadata of a stream or of a field, as far as the SDK depends on it."""

    inclusion: Literal["available", "automatic", "unsupported"] | None = None
    selected: bool | None = None
    selected_by_default: bool | None = None
    table_key_properties: list[str] | None = None
    replication_key: str | None = None
    forced_replication_method: _Method | None = None


class _Metadata(Struct):
    breadcrumb: list[str]
    metadata: _Selection


_Kind = Literal["string", "integer", "number", "boolean", "array", "object", "null"]
_Kinds = Annotated[list[_Kind], Meta(min_length=1)]


class _Property(Struct):
    type: _Kind | _Kinds | UnsetType = UNSET
    title: str | None = None
    description: str | None = None
    format: str | None = None
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
    replication_method: _Method | None = None
    key_properties: list[str] | None = None


class _Catalog(Struct):
    """The shape of a Singer catalog, as far as the SDK and the kit depend on it."""

    streams: list[_CatalogEntry]


def load_catalog(file: str | IO[str] | None) -> dict[str, Any] | None:
    """Return the catalog in a file; None without a file.

    Raises:
        ConfigValidationError: if it is not a catalog.
    """
    if file is None:
        return None
    value: dict[str, Any] = load_json_file(file, _OPTION)
    if not is_unicode(value):
        problem = "must be valid Unicode"
        raise setting_error(_OPTION, problem)
    catalog = converted(value, _Catalog, _OPTION)
    counts = Counter(entry.tap_stream_id for entry in catalog.streams)
    if twice := [name for name, count in counts.items() if count > 1]:
        problem = f"has a stream twice: {', '.join(twice)}; {_AGAIN}"
        raise setting_error(_OPTION, problem)
    return value


def keep_keys(entry: CatalogEntry, keys: Sequence[str], replication_key: str | None) -> None:
    """Make the entry of a stream have its keys, and select them and its replication key."""
    entry.key_properties = entry.key_properties or list(keys)
    if not entry.metadata:
        return  # everything is selected
    if () not in entry.metadata:
        # The SDK reads the stream, and would deselect the fields that the metadata names.
        entry.metadata[()] = StreamMetadata(selected=True)
    for field in filter(None, (*keys, replication_key)):
        entry.metadata["properties", field].inclusion = Metadata.InclusionType.AUTOMATIC


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
        yield f"--catalog has no stream of this tap; {_AGAIN}"
        return
    if unknown:
        logger.warning("Ignoring unknown streams in --catalog: %s", ", ".join(unknown))
    if not any(stream.selected for stream in streams.values()):
        logger.warning("--catalog selects no stream, so nothing is read")
    for name, stream in streams.items():
        entry = catalog.get_stream(name)
        if entry is None or not stream.selected:
            continue
        _log_unknown_fields(logger, name, entry)
        yield from _entry_problems(stream, entry)


def _entry_problems(stream: Stream, entry: CatalogEntry) -> Iterator[str]:
    name, by = stream.name, stream.replication_key
    if entry.stream and entry.stream != name:
        yield f"--catalog renames the stream {name}; {_AGAIN}"
    if entry.key_properties and {*entry.key_properties} != {*stream.primary_keys}:
        yield f"--catalog has other keys of {name} than {', '.join(stream.primary_keys)}; {_AGAIN}"
    if entry.replication_key and entry.replication_key != by:
        yield f"--catalog has another replication key of {name} than {by or 'none'}; {_AGAIN}"
    if stream.forced_replication_method == REPLICATION_INCREMENTAL and not by:
        yield f"--catalog: {name} has no replication key, so it cannot be {REPLICATION_INCREMENTAL}"
    fields = entry.schema.to_dict().get("properties", {})
    types = {field: definition.get("type") for field, definition in fields.items()}
    # The SDK checks whether a replication key is a date-time, and fails if there is no type.
    needed = {*stream.primary_keys, *_computed_from(stream)} - fields.keys()
    untyped = {by} - {field for field, kind in types.items() if kind} if by else set()
    if missing := sorted(needed | untyped):
        yield f"--catalog lacks {', '.join(missing)} of {name}; {_AGAIN}"
    yield from _type_problems(stream, fields)


def _type_problems(stream: Stream, fields: Mapping[str, Any]) -> Iterator[str]:
    name, by = stream.name, stream.replication_key
    if changed := list(_changed_types(stream, fields)):
        yield f"--catalog has other types of {', '.join(changed)} of {name}; {_AGAIN}"
    for field in filter(None, (*stream.primary_keys, by)):
        if fields.get(field, {}).get("type") in ("null", ["null"]):
            yield f"--catalog has only the type null for {field} of {name}; {_AGAIN}"


def _changed_types(stream: Stream, fields: Mapping[str, Any]) -> Iterator[str]:
    """Yield the fields that the tap computes, whose values do not fit the type in the catalog."""
    known = stream.schema["properties"]
    response = getattr(stream, "response_fields", None)
    is_all = response is not None and response.all_computed
    computed = () if response is None else response.computed
    for field in sorted({*stream.primary_keys, *(known if is_all else computed)} & fields.keys()):
        ours, given = known.get(field, {}), fields[field]
        expected, kinds = _kinds(ours.get("type")), _kinds(given.get("type"))
        needed = expected if is_all else expected - {"null"}
        is_narrower = bool(kinds - {"null"}) and not needed <= kinds
        if is_narrower or (is_all and given.get("format") != ours.get("format")):
            yield field


def _kinds(kind: str | Sequence[str] | None) -> set[str]:
    kinds = {kind} if isinstance(kind, str) else {*(kind or ())}
    return kinds | {"integer"} if "number" in kinds else kinds


def _computed_from(stream: Stream) -> set[str]:
    """Return the fields that every row needs, whatever is selected."""
    of_responses = getattr(stream, "response_fields", None)  # a plain SDK stream has none
    if of_responses is None:
        return set()
    needed = {*of_responses.computed, *of_responses.inputs} - {*of_responses.raw_types}
    return needed & {*stream.schema["properties"]}  # some depend on a setting


def _log_unknown_fields(logger: logging.Logger, name: str, entry: CatalogEntry) -> None:
    fields: AbstractSet[str] = entry.schema.to_dict().get("properties", {}).keys()
    selected = {path[1] for path in entry.metadata if len(path) > 1}
    if unknown := sorted(selected - fields):
        logger.warning("Ignoring unknown fields of %s in --catalog: %s", name, ", ".join(unknown))
