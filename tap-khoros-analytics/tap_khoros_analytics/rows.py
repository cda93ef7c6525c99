"""From the vendor's rows, CSV or JSON, to ours: fields by name, a key, the window."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import defstruct

from tap_khoros_analytics.columns import alike, known_names

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tap_kit.occurrences import Occurrences
    from tap_kit.records import Row

    from tap_khoros_analytics.columns import Column

_encode = msgspec.json.Encoder().encode


class RowMaker:
    """Makes the rows of one window of one export.

    ``columns`` are the selected ones, ``known`` the fields of all that the catalog knows; a name
    that it does not know is told once, by way of ``told``. ``constants`` are the fields that are
    the same in all rows. With ``occurrences`` rows get a ``row_id``, which ``key_prefix`` begins.
    """

    def __init__(
        self,
        export_id: str,
        columns: Sequence[Column],
        *,
        known: Iterable[str],
        constants: Mapping[str, str],
        occurrences: Occurrences | None,
        key_prefix: Sequence[str],
        told: set[str],
        logger: logging.Logger,
    ) -> None:
        self._export_id = export_id
        self._fields = sorted(column.field for column in columns)
        self._known = {alike(field): field for field in known}
        self._occurrences = occurrences
        self._prefix = list(key_prefix)
        self._told = told
        self._logger = logger
        keys = [("row_id", str)] if occurrences is not None else []
        self._row: Callable[..., Row] = defstruct(
            "ExportRow",
            [
                *((field, str | None) for field in self._fields),
                *keys,
                *((field, str, value) for field, value in constants.items()),
            ],
            gc=False,
        )

    def rows(self, raw: Sequence[Any], header: Sequence[str] | None) -> list[Row]:
        """The rows of a batch: of a CSV body when there is a ``header``, else of a JSON body."""
        return self.from_dicts(raw) if header is None else self.from_lists(header, raw)

    def from_dicts(self, rows: Sequence[dict[str, Any]]) -> list[Row]:
        """Rows of a JSON export; a key that a row does not have is null in it."""
        names = list(dict.fromkeys(name for row in rows for name in row))
        places = self._places(names)
        return self._made([row.get(name) if name else None for name in places] for row in rows)

    def from_lists(self, header: Sequence[str], rows: Sequence[list[str]]) -> list[Row]:
        """Rows of a CSV export, where an empty field is all that there is of null."""
        index = {name: number for number, name in enumerate(header)}
        picks = [index[name] if name else -1 for name in self._places(header)]
        width = len(header)
        return self._made(
            [(row[pick] or None) if 0 <= pick < len(row) else None for pick in picks]
            for row in rows
            if len(row) <= width or self._too_wide(width, row)
        )

    def _made(self, rows: Iterable[list[str | None]]) -> list[Row]:
        make, occurrences = self._row, self._occurrences
        if occurrences is None:
            return [make(*values) for values in rows]
        made, prefix, count, blake2b = [], self._prefix, occurrences.count, hashlib.blake2b
        for values in rows:
            digest = blake2b(_encode([*prefix, *values]), digest_size=16).digest()
            number = count(digest)
            if number > 1:
                again = _encode([*prefix, *values, number])
                digest = blake2b(again, digest_size=16).digest()
            made.append(make(*values, digest.hex()))
        return made

    def _places(self, names: Sequence[str]) -> list[str | None]:
        """For each of our fields the vendor's name of it in this body; None where it has none."""
        by_field: dict[str, str] = {}
        attested = known_names(self._export_id)
        for name in names:
            key = alike(name)
            field = attested[key].field if key in attested else self._known.get(key)
            if field in self._known.values():
                by_field.setdefault(str(field), name)
            else:
                self._tell(name)
        return [by_field.get(field) for field in self._fields]

    def _tell(self, name: str) -> None:
        if name not in self._told:
            self._told.add(name)
            self._logger.warning(
                "%s: the vendor now sends the column %r, which the catalog does not know; left out",
                self._export_id,
                name,
            )

    def _too_wide(self, width: int, row: Sequence[str]) -> bool:
        if "\0width" not in self._told:
            self._told.add("\0width")
            self._logger.warning(
                "%s: a row has %d fields under a header of %d; what is beyond it is left out",
                self._export_id,
                len(row),
                width,
            )
        return True
