"""The bodies of exports, JSON and CSV, as cells in the order of our fields."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType, defstruct
from msgspec.structs import astuple
from tap_kit.errors import Retriable, SyncFailed
from tap_kit.rows.streaming import CsvRows
from typing_extensions import override

from tap_khoros_analytics.exports.columns import alike, known_names

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Sequence

    from tap_khoros_analytics.exports.columns import Column
    from tap_khoros_analytics.exports.rows import Cells

_WORDS: dict[type, str] = {
    int: "a number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}


class Names:
    """Which of the vendor's names is which of our fields; what no catalog knows is told once."""

    def __init__(self, export_id: str, columns: Sequence[Column], logger: logging.Logger) -> None:
        self._export_id = export_id
        self._logger = logger
        self._told: set[str] = set()
        self._absent: set[str] = set()
        self._is_width_told = False
        self._json_only = {column.field for column in columns if column.json_only}
        ours = {column.field for column in columns}
        known = known_names(export_id).items()
        self._fields = {name: column.field for name, column in known if column.field in ours}
        for column in columns:
            self._fields |= {alike(column.metric): column.field, alike(column.field): column.field}

    def places(self, names: Sequence[str]) -> dict[str, int]:
        """For each of our fields where its value stands under ``names``.

        Raises:
            Retriable: when not one of the names is known. The rows would be empty; it may be that
                something else than the export was sent, and the next try brings it.
        """
        found: dict[str, int] = {}
        unknown = []
        for place, name in enumerate(names):
            field = self._fields.get(alike(name))
            if field is None:
                unknown.append(name)
            else:
                found.setdefault(field, place)
        if names and not found:
            msg = (
                "the catalog knows none of its columns; discover them again, with the same locale "
                f"(it has {', '.join(map(repr, names[:5]))})"
            )
            raise Retriable(msg)
        for name in unknown:
            self._tell(name)
        return found

    def _tell(self, name: str) -> None:
        if name not in self._told:
            self._told.add(name)
            self._logger.warning(
                "%s: the vendor now sends the column %r, which the catalog does not know; left out",
                self._export_id,
                name,
            )

    def tell_absent(self, fields: Iterable[str]) -> None:
        """Say, once, which columns a CSV export does not have; they are null."""
        news = sorted({*fields} - self._json_only - self._absent)
        if news:
            self._absent.update(news)
            self._logger.warning(
                "%s: the export has no column for %s; null in all rows",
                self._export_id,
                ", ".join(news),
            )

    def tell_too_wide(self, width: int, found: int) -> None:
        """Say, once, that a row has more cells than the header."""
        if not self._is_width_told:
            self._is_width_told = True
            self._logger.warning(
                "%s: a row has %d fields under a header of %d; what is beyond it is left out",
                self._export_id,
                found,
                width,
            )


class JsonCells:
    """Decodes arrays of objects straight into our fields, at compiled speed.

    The keys are learned from the rows: they come in one of three spellings. A key that was not
    there before is learned when it comes; one that a row does not have is null in it.
    """

    def __init__(self, fields: Sequence[str], names: Names) -> None:
        self._our_fields = fields
        self._names = names
        self._keys: dict[str, None] = {}
        self._decoder: msgspec.json.Decoder[list[Any]] | None
        self._learn([])

    def decode(self, array: bytes) -> list[Cells]:
        """The cells of each object of a JSON array.

        Raises:
            msgspec.DecodeError: when it is not JSON.
            SyncFailed: when a value is no text; names the field and the type, not the value.
        """
        rows = self._decoded(array)
        if rows is None:
            objects = _objects(array)
            self._learn(objects)
            rows = self._decoded(array)
            if rows is None:
                return self._decoded_by_name(objects)
        if self._is_exact:
            return list(map(astuple, rows))
        width = len(self._our_fields)
        return [astuple(row)[:width] for row in rows]

    def _decoded(self, array: bytes) -> list[Any] | None:
        if self._decoder is None:
            return None
        try:
            return self._decoder.decode(array)
        except msgspec.ValidationError:
            return None

    def _learn(self, objects: Iterable[dict[str, Any]]) -> None:
        """Make a type of all keys so far: ours first, the others passed over unread."""
        for row in objects:
            self._keys.update(dict.fromkeys(row))
        keys = list(self._keys)
        places = self._names.places(keys)
        self._key_of = {f: keys[places[f]] if f in places else None for f in self._our_fields}
        others = [key for key in keys if key not in self._key_of.values()]
        self._is_exact = not others
        try:
            kind = _type_of(list(self._key_of.values()), others)
        except ValueError:  # a key with a quote or the like: no type can have it
            self._decoder = None
        else:
            self._decoder = msgspec.json.Decoder(list[kind])  # type: ignore[valid-type]

    def _decoded_by_name(self, objects: list[dict[str, Any]]) -> list[Cells]:
        """The cells without the help of a type, which did not fit."""
        for field, key in self._key_of.items():
            for row in objects:
                value = row.get(key) if key is not None else None
                if value is not None and not isinstance(value, str):
                    msg = f"field {field}: expected a text or null, got {_WORDS[type(value)]}"
                    raise SyncFailed(msg)
        keys = list(self._key_of.values())
        return [[None if key is None else row.get(key) for key in keys] for row in objects]


def _type_of(ours: Sequence[str | None], others: Sequence[str]) -> type[msgspec.Struct]:
    """A type of rows whose first fields are ours, in order; one without a key is always null."""
    # A field without a key still has a name, which no key has.
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


def _objects(array: bytes) -> list[dict[str, Any]]:
    try:
        return msgspec.json.decode(array, type=list[dict[str, Any]])
    except msgspec.ValidationError:
        msg = "expected a list of objects"
        raise SyncFailed(msg) from None


class CsvCells(CsvRows):
    """Picks our fields out of CSV rows, where an empty cell is all that there is of null."""

    def __init__(self, fields: Sequence[str], names: Names, source: str) -> None:
        super().__init__(source)
        self._our_fields = fields
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
            self._names.tell_absent(f for f in self._our_fields if f not in self._places)
        places, width = self._places, len(self.header)
        if {*map(len, rows)} - {width}:
            rows = [self._as_wide_as_the_header(row, width) for row in rows]
        picks = [places.get(field, width) for field in self._our_fields]
        if width in picks:
            rows = [[*row, ""] for row in rows]
        if len(picks) < 2:
            return [[row[pick] or None for pick in picks] for row in rows]
        pick = itemgetter(*picks)
        return [[cell or None for cell in pick(row)] for row in rows]

    def _as_wide_as_the_header(self, row: list[str], width: int) -> list[str]:
        if len(row) > width:
            self._names.tell_too_wide(width, len(row))
        return [*row[:width], *[""] * (width - len(row))]
