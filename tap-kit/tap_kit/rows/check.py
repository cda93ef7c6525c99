"""Rows of a stream, from the bytes of an answer, checked against the stream's schema on the way.

A compiled decoder makes typed rows of the bytes and checks each value as it goes; that costs no
more than decoding alone. What it does not take (a name that is new, a text that is not valid
Unicode, a wrong type) is read again with care, value by value, to be told or mended.
"""

from __future__ import annotations

import threading
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

import msgspec
from msgspec import UNSET

from tap_kit.errors import SyncFailed
from tap_kit.net.bodies import parse_json
from tap_kit.rows.types import attributes_of, has_closed_objects, row_type, type_of, unknown_inside

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from singer_sdk.singerlib import SelectionMask


Row = msgspec.Struct

_MANY_NAMES = 256  # more names than that are no columns: a vendor uses values as keys


class ResponseFields(NamedTuple):
    """How a response's rows differ from the stream's schema."""

    computed: Collection[str] = ()  # fields that no response has: the tap computes them
    inputs: Collection[str] = ()  # fields that the tap computes with, deselected or not
    raw_types: Mapping[str, Any] = MappingProxyType({})  # schemas where the response has another
    ignored: Collection[str] = ()  # fields that are left out without a warning


class CheckedStream(Protocol):
    """What the check needs of a stream; all but ``response_fields`` is the SDK's."""

    name: str
    response_fields: ClassVar[ResponseFields]

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
    """Checks and selects the rows of one stream against its schema, at compiled speed."""

    def __init__(self, stream: CheckedStream) -> None:
        self._stream = stream
        self._differ = differ = stream.response_fields
        properties = stream.effective_schema["properties"]
        selected = {field for field in properties if stream.mask["properties", field]}
        self._schema = {**stream.effective_schema, "properties": {**properties, **differ.raw_types}}
        known = {*stream.schema["properties"]}
        self._known = frozenset(known.union(differ.raw_types, differ.ignored))
        self._fields = selected.union(differ.raw_types, known & {*differ.computed, *differ.inputs})
        self._unwritten = self._known - selected
        self._closed = {f: properties[f] for f in selected if has_closed_objects(properties[f])}
        again = selected & differ.raw_types.keys()
        self._to_check_again = {f: list[type_of(properties[f])] for f in again}  # type: ignore[misc]
        self._lock = threading.Lock()  # a stream's tasks are read by several threads
        self._told: set[str] = set()
        self.lenient_type = row_type("Row", self._schema, self._fields, computed=differ.computed)
        self._blanks = {self.lenient_type: attributes_of(self.lenient_type, self._unwritten)}
        self.strict_type = self._made_strict()

    def rows(self, records: Sequence[Any]) -> list[Row]:
        """The records, dicts or rows that a ``RowDecoder`` made, as checked rows to be written.

        Raises:
            SyncFailed: when a value has another type than the schema's; names stream, field and
                types, not the value.
        """
        rows = self.typed(records)
        self._check_again(rows)
        for attribute in self._blanks[type(rows[0])] if rows else ():
            for row in rows:
                setattr(row, attribute, UNSET)
        return rows

    def typed(self, records: Sequence[Any]) -> list[Row]:
        """The records as rows to be shaped, with all that an answer has.

        Raises:
            SyncFailed: when a value has another type than an answer may have.
        """
        if records and isinstance(records[0], msgspec.Struct):
            return list(records)
        rows: list[Row] = self.converted(records, list[self.lenient_type])  # type: ignore[name-defined]
        self.report_unknown_fields(records)
        return rows

    def _check_again(self, rows: Sequence[Row]) -> None:
        """The fields that were decoded with another type and shaped since."""
        for name, kind in self._to_check_again.items():
            values = (getattr(row, name) for row in rows)
            self.converted([value for value in values if value is not UNSET], kind, name)

    def converted(self, value: Any, kind: Any, field: str = "") -> Any:
        """A JSON value as a ``kind`` that has rows in it, or the values of one ``field``.

        Raises:
            SyncFailed: when it does not fit.
        """
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            msg = f"{self._stream.name}: {_in_words(str(error), field)}"
            raise SyncFailed(msg) from None

    def report_unknown_fields(self, records: Iterable[dict[str, Any]]) -> None:
        """Tell, once each, which fields come that the catalog does not know; pass over them."""
        found = set().union(*records) - self._known
        inside: set[str] = set()
        for field, definition in self._closed.items():
            for record in records:
                inside.update(unknown_inside(record.get(field), definition, field))
        with self._lock:
            news = (found | inside) - self._told
            self._told |= news
            if news & found:
                self.strict_type = self._made_strict()
        if news:
            self._stream.logger.warning(
                "%s: the vendor now sends %s, which the catalog does not know; left out",
                self._stream.name,
                ", ".join(sorted(map(repr, news))),
            )

    def _made_strict(self) -> type[Row] | None:
        """The type that takes exactly what is known; None where no type can tell what is new."""
        passed_over = (self._known | self._told) - self._fields
        if self._closed or len(passed_over) > _MANY_NAMES:
            return None
        computed = self._differ.computed
        try:
            kind = row_type(
                "Row", self._schema, self._fields, computed=computed, passed_over=passed_over
            )
        except ValueError:
            return None
        self._blanks[kind] = attributes_of(kind, self._unwritten | self._told)
        return kind


class RowDecoder:
    """Decodes an answer with rows in it; ``answer_of`` makes its type of that of a row.

    The default is an array of rows. Where the rows are inside of something, ``answer_of`` is a
    generic Struct. ``is_row`` says what is no row at all, where
    that is for who asked to tell.
    """

    def __init__(
        self,
        check: RowCheck,
        answer_of: Callable[[Any], Any] = list.__class_getitem__,
        is_row: Callable[[Any], bool] = lambda _: True,
    ) -> None:
        self._check = check
        self._answer_of = answer_of
        self._is_row = is_row
        self._decoder: msgspec.json.Decoder[Any] | None = None
        self._strict_type: type[Row] | None = None

    def __call__(self, body: bytes, source: str) -> Any:
        """The answer, its rows typed and checked; ``source`` names the request in messages.

        What has its rows in another place than expected, or something else there, is given back as
        plain values.

        Raises:
            Retriable: when it is no JSON.
            SyncFailed: when a value of a row has another type than the schema's.
        """
        decoder = self._strict_decoder()
        if decoder is not None:
            try:
                return decoder.decode(body)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                pass  # to be read with care
        return self._read_with_care(parse_json(body, source))

    def _strict_decoder(self) -> msgspec.json.Decoder[Any] | None:
        kind = self._check.strict_type
        if kind is not self._strict_type:
            decoder = msgspec.json.Decoder(self._answer_of(kind)) if kind else None
            self._decoder, self._strict_type = decoder, kind
        return self._decoder

    def _read_with_care(self, value: Any) -> Any:
        records: list[Any] = []

        def collect(kind: type[_Record], record: Any) -> _Record:
            records.append(record)
            return kind()

        try:
            msgspec.convert(value, self._answer_of(_Record), dec_hook=collect)
        except msgspec.ValidationError:
            return value
        if not all(map(self._is_row, records)):
            return value
        answer = self._check.converted(value, self._answer_of(self._check.lenient_type))
        self._check.report_unknown_fields(records)
        return answer


def values_of(row: Row, fields: Iterable[str]) -> list[Any]:
    """A row's values of some fields; null where it has none."""
    values = (getattr(row, field) for field in fields)
    return [None if value is UNSET else value for value in values]


def has_any_of(row: Row, fields: Iterable[str]) -> bool:
    """Whether a row came with one of these fields, be it null."""
    return any(getattr(row, field) is not UNSET for field in fields)


def set_fields(rows: Iterable[Row], own: Mapping[str, Any]) -> None:
    """Give all rows these values of fields that no answer has."""
    for field, value in own.items():
        for row in rows:
            setattr(row, field, value)


class _Record:
    """Stands for a row, where only its place in the answer matters."""


def _in_words(problem: str, field: str) -> str:
    """``Expected `int`, got `str` - at `$[3].visitors``` without the row's number in the page."""
    what, _, where = problem.partition(" - at `$")
    field = field or where.rstrip("`").partition("]")[2].lstrip(".")
    what = what.replace("`", "")
    place = f"field {field}" if field else "a row"
    return f"{place}: {what[0].lower()}{what[1:]}"
