"""Make our rows of the vendor's: fields by name, a key, the window."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import defstruct
from tap_kit import JobFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tap_kit import Occurrences, Row

    from tap_khoros_analytics.exports.spellings import Column
    from tap_khoros_analytics.exports.typed_cells import TypedCells

_lines = msgspec.json.Encoder().encode_lines

Cells = Sequence["str | None"]
"""The values of one row, in the order of our fields."""


class RowMaker:
    """Makes the rows of one window of an export.

    ``columns`` are the selected ones; ``Cells`` have their values in the order of the field names.
    ``key`` fields that are columns must not be null. ``constants`` are fields with the same value
    in all rows. ``key_prefix`` comes first in what is hashed. ``has_empty_texts`` is False for
    CSV, where an empty text is null. ``typed`` converts the texts, after they are hashed: a type
    does not change the key of a row.
    """

    def __init__(
        self,
        columns: Iterable[Column],
        *,
        key: Iterable[str],
        constants: Mapping[str, str],
        key_prefix: Sequence[str] = (),
        has_empty_texts: bool = True,
        typed: TypedCells | None = None,
    ) -> None:
        self.columns = sorted(columns, key=lambda column: column.field)
        self.fields = [column.field for column in self.columns]
        self._key = [self.fields.index(field) for field in key if field in self.fields]
        self._prefix = tuple(key_prefix)
        self._has_empty_texts = has_empty_texts
        hashed = [place for place, column in enumerate(self.columns) if not column.json_only]
        self._is_hashed_whole = len(hashed) == len(self.fields) and not key_prefix
        self._hashed = hashed
        has_id = "row_id" in key
        self._typed = typed
        beside = typed.derived_fields if typed else []
        self._row: Callable[..., Row] = defstruct(
            "ExportRow",
            [
                *((field, Any) for field in [*self.fields, *beside]),
                *([("row_id", str)] if has_id else []),
                *((field, str, value) for field, value in constants.items()),
            ],
            gc=False,
        )

    def keyed(self, rows: Sequence[Cells]) -> list[Row]:
        """Return rows whose key consists of columns.

        Raises:
            JobFailed: when one of those columns is null.
        """
        for place in self._key:
            if not all(map(itemgetter(place), rows)):
                msg = f"a row has no {self.fields[place]}, which is part of the key"
                raise JobFailed(msg)
        make = self._row
        return [make(*values) for values in self._values(rows)]

    def hashed(self, rows: Sequence[Cells], occurrences: Occurrences) -> list[Row]:
        """Return rows with a ``row_id``; ``occurrences`` counts the equal rows of the window."""
        arrays = self._arrays(rows)
        blake2b = hashlib.blake2b
        digests = [blake2b(array, digest_size=16).digest() for array in arrays]
        for place, number in occurrences.repeats(digests).items():
            separator = b"" if arrays[place] == b"[]" else b","
            array = b"%b%b%d]" % (arrays[place][:-1], separator, number)
            digests[place] = blake2b(array, digest_size=16).digest()
        make, values = self._row, self._values(rows)
        return [make(*cells, digest.hex()) for cells, digest in zip(values, digests, strict=True)]

    def _values(self, rows: Sequence[Cells]) -> Sequence[Sequence[Any]]:
        return self._typed.values(rows) if self._typed and rows else rows

    def _arrays(self, rows: Sequence[Cells]) -> list[bytes]:
        """Return the compact JSON array of each row's values, with empty texts as null.

        CSV has no empty texts. Within a text, JSON escapes quotes and line feeds, so the bytes
        that are replaced and split at here never occur in one.
        """
        if not self._is_hashed_whole:
            prefix, places = self._prefix, self._hashed
            rows = [(*prefix, *(cells[place] for place in places)) for cells in rows]
        lines = _lines(rows)
        if self._has_empty_texts:
            lines = lines.replace(b',""', b",null").replace(b'[""', b"[null")
        return lines.split(b"\n")[:-1]
