"""Decode the rows of a stream from the bytes of a response, and check them against its schema.

A compiled decoder turns the bytes into typed rows and checks each value on the way, which costs no
more than decoding alone. A response that it rejects (an unknown field, invalid Unicode, a wrong
type) is decoded again leniently, value by value: to repair it, or to report what is wrong.
"""

from __future__ import annotations

import threading
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

import msgspec
from msgspec import UNSET

from tap_kit.errors import SyncFailed
from tap_kit.net.bodies import parse_json
from tap_kit.rows.formats import FormatCheck
from tap_kit.rows.names import MAX_NAMES, listed
from tap_kit.rows.types import (
    attributes_of,
    has_closed_objects,
    prepared,
    row_type,
    type_of,
    unknown_paths,
)

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from singer_sdk.singerlib import SelectionMask


Row = msgspec.Struct
"""A checked row; its attributes are its fields, UNSET if the record did not have them."""

_MAX_REPORTED = 200  # characters of an unknown name
_MAX_IGNORED = 256  # names; with more, the vendor seems to use values as keys


class ResponseFields(NamedTuple):
    """How a response's rows differ from the stream's schema."""

    computed: Collection[str] = ()  # fields that no response has: the tap computes them
    inputs: Collection[str] = ()  # fields that the tap needs, even if they are deselected
    raw_types: Mapping[str, Any] = MappingProxyType({})  # schemas of fields that the tap converts
    ignored: Collection[str] = ()  # fields of responses to ignore without a warning
    all_computed: bool = False  # the tap makes all values; `RowCheck` is not used


class CheckedStream(Protocol):
    """What the check needs from a stream; all but ``response_fields`` is part of the SDK."""

    name: str
    response_fields: ClassVar[ResponseFields]

    @property
    def primary_keys(self) -> Sequence[str]:
        """The fields of the key."""

    @property
    def logger(self) -> logging.Logger:
        """The stream's logger."""

    @property
    def schema(self) -> dict[str, Any]:
        """The schema that the tap knows."""

    @property
    def effective_schema(self) -> dict[str, Any]:
        """The schema of the catalog."""

    @property
    def mask(self) -> SelectionMask:
        """Which fields are selected."""


class RowCheck:
    """Checks the rows of one stream against its schema, and selects their fields."""

    def __init__(self, stream: CheckedStream) -> None:
        self._stream = stream
        self._response_fields = response = stream.response_fields
        properties = stream.effective_schema["properties"]
        selected = {field for field in properties if stream.mask["properties", field]}
        self._schema = {
            **stream.effective_schema,
            "properties": {**properties, **response.raw_types},
        }
        known = {*stream.schema["properties"]}
        self._known = frozenset(known.union(response.raw_types, response.ignored))
        self._fields = selected.union(
            response.raw_types, known & {*response.computed, *response.inputs}
        )
        self._unwritten = self._known - selected
        self._closed = {f: properties[f] for f in selected if has_closed_objects(properties[f])}
        converted = selected & response.raw_types.keys()
        self._final_types = {f: list[type_of(properties[f])] for f in converted}  # type: ignore[misc]
        checked = selected - {*response.computed}
        self._lock = threading.Lock()  # several threads read the tasks of a stream
        self._reported: set[str] = set()
        self.lenient_type = row_type("Row", self._schema, self._fields, computed=response.computed)
        # For each row type: the attributes to unset before a row is written.
        unset = attributes_of(self.lenient_type, self._unwritten)
        self._unset = {self.lenient_type: [*unset.values()]}
        self.strict_type = self._make_strict_type()
        self._formats = FormatCheck(
            stream.name,
            stream.logger,
            properties,
            attributes_of(self.lenient_type, checked),
            keys=stream.primary_keys,  # a replication key can be null: it moves no bookmark
        )

    def rows(self, records: Sequence[Any]) -> list[Row]:
        """Return records (dicts, or rows from a ``RowDecoder``) as checked rows, ready to write.

        Raises:
            SyncFailed: if a value does not have the type of the schema; the message names the
                stream, the field and the types, not the value.
        """
        rows = self.to_rows(records)
        self._check_converted(rows)
        if rows:
            is_strict = type(rows[0]) is not self.lenient_type
            self._formats.check(rows, self._final_types if is_strict else None)
        for attribute in self._unset[type(rows[0])] if rows else ():
            for row in rows:
                setattr(row, attribute, UNSET)
        return rows

    def to_rows(self, records: Sequence[Any]) -> list[Row]:
        """Return records as rows with all known fields of a response, ready to convert.

        Raises:
            SyncFailed: if a value does not have the type that a response may have.
        """
        if records and isinstance(records[0], msgspec.Struct):
            return list(records)
        rows: list[Row] = self.convert(records, list[self.lenient_type])  # type: ignore[name-defined]
        self.report_unknown_fields(records)
        return rows

    def _check_converted(self, rows: Sequence[Row]) -> None:
        """Check the fields that were decoded with another type and converted since."""
        for name, kind in self._final_types.items():
            values = (getattr(row, name) for row in rows)
            self.convert([value for value in values if value is not UNSET], kind, name)

    def report_nulls(self) -> None:
        """Log how many values did not fit their format."""
        self._formats.report()

    def convert(self, value: Any, kind: Any, field: str = "") -> Any:
        """Return a JSON value as a ``kind``, which contains rows or the values of one ``field``.

        Raises:
            SyncFailed: if the value does not fit.
        """
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            msg = f"{self._stream.name}: {_describe(str(error), field)}"
            raise SyncFailed(msg) from None

    def report_unknown_fields(self, records: Iterable[dict[str, Any]]) -> None:
        """Log, once each, the fields of a response that the catalog does not have."""
        found = {_cut(name) for name in set().union(*records) - self._known}
        inside: set[str] = set()
        for field, definition in self._closed.items():
            for record in records:
                inside.update(map(_cut, unknown_paths(record.get(field), definition, field)))
        with self._lock:
            is_full = len(self._reported) > MAX_NAMES  # the vendor seems to use values as names
            new = set() if is_full else (found | inside) - self._reported
            self._reported |= new
            if new & found:
                self.strict_type = self._make_strict_type()
        if new:
            self._stream.logger.warning(
                "%s: ignoring fields that are not in the catalog: %s",
                self._stream.name,
                listed(new),
            )

    def _make_strict_type(self) -> type[Row] | None:
        """Return the row type that rejects unknown fields; None if no type can."""
        ignored = (self._known | self._reported) - self._fields
        if self._closed or len(ignored) > _MAX_IGNORED:
            return None
        computed = self._response_fields.computed
        try:
            kind = row_type("Row", self._schema, self._fields, computed=computed, ignored=ignored)
        except ValueError:
            return None
        self._unset[kind] = [*attributes_of(kind, self._unwritten | self._reported).values()]
        return kind


class RowDecoder:
    """Decodes a response that contains rows.

    ``response_type`` returns the type of the response for a type of row. The default is a list of
    rows; for rows inside another object it is a generic Struct. A response with a record for
    which ``is_row`` is false is returned as plain values, for the caller to judge.
    """

    def __init__(
        self,
        check: RowCheck,
        response_type: Callable[[Any], Any] = list.__class_getitem__,
        is_row: Callable[[Any], bool] = lambda _: True,
    ) -> None:
        self._check = check
        self._response_type = response_type
        self._is_row = is_row
        self._decoder: msgspec.json.Decoder[Any] | None = None
        self._strict_type: type[Row] | None = None

    def __call__(self, body: bytes, source: str) -> Any:
        """Return the response with typed and checked rows; ``source`` names the request.

        A response whose rows are not where they are expected is returned as plain values.

        Raises:
            Retriable: if the body is not JSON.
            SyncFailed: if a value of a row does not have the type of the schema.
        """
        decoder = self._strict_decoder()
        if decoder is not None:
            try:
                return decoder.decode(body)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                pass  # decode it leniently
        return self._decode_leniently(parse_json(body, source))

    def _strict_decoder(self) -> msgspec.json.Decoder[Any] | None:
        kind = self._check.strict_type
        if kind is not self._strict_type:
            decoder = msgspec.json.Decoder(self._type_of(kind)) if kind else None
            self._decoder, self._strict_type = decoder, kind
        return self._decoder

    def _type_of(self, kind: type[Any]) -> Any:
        return prepared(self._response_type(kind))

    def _decode_leniently(self, value: Any) -> Any:
        records: list[Any] = []

        def collect(kind: type[_Record], record: Any) -> _Record:
            records.append(record)
            return kind()

        try:
            msgspec.convert(value, self._type_of(_Record), dec_hook=collect)
        except msgspec.ValidationError:
            return value
        if not all(map(self._is_row, records)):
            return value
        response = self._check.convert(value, self._type_of(self._check.lenient_type))
        self._check.report_unknown_fields(records)
        return response


def values_of(row: Row, fields: Iterable[str]) -> list[Any]:
    """Return a row's values of some fields; None where it has no value."""
    values = (getattr(row, field) for field in fields)
    return [None if value is UNSET else value for value in values]


def has_any_of(row: Row, fields: Iterable[str]) -> bool:
    """Return whether a row has one of these fields, even if its value is null."""
    return any(getattr(row, field) is not UNSET for field in fields)


def set_fields(rows: Iterable[Row], values: Mapping[str, Any]) -> None:
    """Set fields that no response has to the same value in all rows."""
    for field, value in values.items():
        for row in rows:
            setattr(row, field, value)


class _Record:
    """A placeholder for a row, where only its place in the response matters."""


def _cut(name: str) -> str:
    return name[:_MAX_REPORTED]


def _describe(problem: str, field: str) -> str:
    """Return ``Expected `int`, got `str` - at `$[3].visitors``` as ``field visitors: ...``."""
    what, _, where = problem.partition(" - at `$")
    field = field or where.rstrip("`").partition("]")[2].lstrip(".")
    what = what.replace("`", "")
    place = f"field {field}" if field else "a row"
    return f"{place}: {what[0].lower()}{what[1:]}"
