"""Parse the bodies of exports, JSON or CSV, into cells in the order of our fields."""

from __future__ import annotations

import re
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType, defstruct
from msgspec.structs import astuple
from tap_kit import MAX_NAMES, CsvRows, JobFailed, Retriable, SyncFailed, listed
from typing_extensions import override

from tap_khoros_analytics.exports.spellings import matched

if TYPE_CHECKING:
    import logging
    from collections.abc import Collection, Iterable, Sequence

    from tap_khoros_analytics.exports.rows import Cells
    from tap_khoros_analytics.exports.spellings import Column

_TYPE_NAMES = {
    b"t": "true or false",
    b"f": "true or false",
    b"[": "a list",
    b"{": "an object",
}
_MAX_NAME_CHARACTERS = 1 << 20  # of all names of an export together
_LONG_ARRAY = 1 << 20  # bytes
_TEXT = re.compile(rb'"([^"]*)"(\s*:)?')


def check_number(names: Collection[Any]) -> None:
    """Check that the vendor does not use values as names, which would fill the memory.

    Raises:
        JobFailed: if there are too many names.
    """
    if len(names) > MAX_NAMES or sum(map(len, names)) > _MAX_NAME_CHARACTERS:
        msg = f"the export has more than {MAX_NAMES:,} field names, or names of more than 1 MiB"
        raise JobFailed(msg)


class FieldNames:
    """Maps the vendor's column names to our fields; logs each difference from the catalog once.

    ``unknown`` are the names without a field, ``absent`` the fields that a CSV export lacks.
    """

    def __init__(self, export_id: str, columns: Sequence[Column], logger: logging.Logger) -> None:
        self._export_id = export_id
        self._logger = logger
        self.unknown: set[str] = set()
        self.absent: set[str] = set()
        self._reported_widths: set[bool] = set()
        self._json_only = {column.field for column in columns if column.json_only}
        self._columns = columns

    def places(self, names: Sequence[str]) -> dict[str, int]:
        """Return the position in ``names`` of each column's field that they contain.

        Raises:
            Retriable: when none of the names is known, so that all rows would be empty. The body
                may be something else than the export, and another attempt may bring it.
            JobFailed: when there are too many names.
        """
        check_number(names)
        columns = matched(names, self._columns)
        found = {column.field: place for place, column in enumerate(columns) if column}
        if names and not found:
            msg = (
                "the export has none of the catalog's columns; run discovery again, with the same "
                f"locale (the export has {', '.join(map(repr, names[:5]))})"
            )
            raise Retriable(msg)
        self._report_unknown(
            name for name, column in zip(names, columns, strict=True) if column is None
        )
        return found

    def _report_unknown(self, names: Iterable[str]) -> None:
        unknown = {*names} - self.unknown
        if unknown and len(self.unknown) <= MAX_NAMES:
            self.unknown |= unknown
            self._logger.warning(
                "%s: ignoring fields that are not in the catalog: %s",
                self._export_id,
                listed(unknown),
            )

    def report_absent(self, fields: Iterable[str]) -> None:
        """Log the columns that a CSV export does not have; they are null."""
        absent = sorted({*fields} - self._json_only - self.absent)
        if absent:
            self.absent.update(absent)
            self._logger.warning(
                "%s: the export has no column for %s; null in all rows",
                self._export_id,
                ", ".join(absent),
            )

    def report_width(self, width: int, found: int) -> None:
        """Log that a row has more cells than the header, or fewer; each once."""
        is_wide = found > width
        if is_wide not in self._reported_widths:
            self._reported_widths.add(is_wide)
            self._logger.warning(
                "%s: a row has %d cells, the header has %d; %s",
                self._export_id,
                found,
                width,
                "ignoring the additional cells" if is_wide else "the missing cells are null",
            )


class JsonCells:
    """Decodes arrays of objects directly into our fields, in compiled code.

    The keys come in one of three spellings, so they are taken from the rows. A key that is new in
    a later row is added; a key that a row does not have is null in it.
    """

    def __init__(self, fields: Sequence[str], names: FieldNames) -> None:
        self._fields = fields
        self._names = names
        self._keys: dict[str, None] = {}
        self._decoder: msgspec.json.Decoder[list[Any]] | None
        self._add_keys([])

    def decode(self, array: bytes) -> list[Cells]:
        """Return the cells of each object of a JSON array.

        Raises:
            msgspec.DecodeError: when it is not JSON.
            SyncFailed: when a value is not a string; names the field and the type, not the value.
        """
        rows = self._decoded(array)
        if rows is None:
            objects = _objects(array)
            self._add_keys(objects)
            rows = self._decoded(array)
            if rows is None:
                return self._decoded_by_name(objects)
        if self._is_exact:
            return list(map(astuple, rows))
        width = len(self._fields)
        return [astuple(row)[:width] for row in rows]

    def _decoded(self, array: bytes) -> list[Any] | None:
        if self._decoder is None:
            return None
        try:
            return self._decoder.decode(array)
        except msgspec.ValidationError:
            return None

    def _add_keys(self, objects: Iterable[Iterable[str]]) -> None:
        """Make a decoder for all keys so far: our fields first; other values are not parsed."""
        for row in objects:
            self._keys.update(dict.fromkeys(row))
        keys = list(self._keys)
        places = self._names.places(keys)
        self._key_of = {f: keys[places[f]] if f in places else None for f in self._fields}
        others = [key for key in keys if key not in self._key_of.values()]
        self._is_exact = not others
        try:
            row_type = _row_type(list(self._key_of.values()), others)
        except ValueError:  # msgspec does not support some keys, such as one with a quote
            self._decoder = None
        else:
            self._decoder = msgspec.json.Decoder(list[row_type])  # type: ignore[valid-type]

    def _decoded_by_name(self, objects: list[dict[str, msgspec.Raw]]) -> list[Cells]:
        """Return the cells of rows that the decoder cannot read."""
        keys = self._key_of.items()
        return [
            [_text(row.get(key), field) if key is not None else None for field, key in keys]
            for row in objects
        ]


def _text(value: msgspec.Raw | None, field: str) -> str | None:
    """Return the text of a cell.

    Raises:
        SyncFailed: when it is neither a text nor null.
    """
    if value is None:
        return None
    try:
        return msgspec.json.decode(value, type=str | None)
    except msgspec.ValidationError:
        type_name = _TYPE_NAMES.get(bytes(memoryview(value)[:1]), "a number")
        msg = f"field {field}: expected a string or null, got {type_name}"
        raise SyncFailed(msg) from None


def _row_type(ours: Sequence[str | None], others: Sequence[str]) -> type[msgspec.Struct]:
    """Return a type of rows whose first fields are ours, in order."""
    # A field without a key is always null: it has a name that no key can have.
    names = {f"f{n}": key or f"\ue000{n}" for n, key in enumerate(ours)}
    names |= {f"x{n}": key for n, key in enumerate(others)}
    return defstruct(
        "Cells",
        [
            *((f"f{n}", str | None, None) for n in range(len(ours))),
            *((f"x{n}", msgspec.Raw | UnsetType, UNSET) for n in range(len(others))),
        ],
        rename=names,
        forbid_unknown_fields=True,
        gc=False,
    )


def _objects(array: bytes) -> list[dict[str, msgspec.Raw]]:
    """Return the objects of an array; their values stay bytes, whatever they contain."""
    if len(array) > _LONG_ARRAY:
        _check_names_in(array)
    try:
        return msgspec.json.decode(array, type=list[dict[str, msgspec.Raw]])
    except msgspec.ValidationError:
        msg = "expected a list of objects"
        raise SyncFailed(msg) from None


def _check_names_in(array: bytes) -> None:
    """Check the number of names before a dict of a long row has them."""
    names: set[bytes] = set()
    for text in _TEXT.finditer(array.replace(rb"\\", b"xx").replace(rb"\"", b"xx")):
        if text[2]:
            names.add(text[1])
            if len(names) > MAX_NAMES:
                break
    check_number(names)


class CsvCells(CsvRows):
    """Picks our fields out of CSV rows, where an empty cell is null."""

    def __init__(self, fields: Sequence[str], names: FieldNames, source: str) -> None:
        super().__init__(source)
        self._fields = fields
        self._names = names
        self._places: dict[str, int] | None = None

    @override
    def push(self, piece: bytes) -> list[Any]:
        return self._cells(super().push(piece))

    @override
    def finalize(self) -> list[Any]:
        return self._cells(super().finalize())

    def _cells(self, rows: list[list[str]]) -> list[Cells]:
        if self.header is None:
            return []
        if self._places is None:
            self._places = self._names.places(self.header)
            self._names.report_absent(f for f in self._fields if f not in self._places)
        places, width = self._places, len(self.header)
        if {*map(len, rows)} - {width}:
            rows = [self._fitted(row, width) for row in rows]
        picks = [places.get(field, width) for field in self._fields]
        if width in picks:
            rows = [[*row, ""] for row in rows]
        if len(picks) < 2:
            return [[row[pick] or None for pick in picks] for row in rows]
        pick = itemgetter(*picks)
        return [[cell or None for cell in pick(row)] for row in rows]

    def _fitted(self, row: list[str], width: int) -> list[str]:
        if len(row) != width:
            self._names.report_width(width, len(row))
        return [*row[:width], *[""] * (width - len(row))]
