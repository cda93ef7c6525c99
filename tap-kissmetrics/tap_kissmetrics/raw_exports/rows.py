"""Make the rows of all kinds from the lines of a file."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from itertools import repeat
from operator import attrgetter
from types import NoneType
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from tap_kissmetrics.raw_exports.fields import columns_of, moments
from tap_kissmetrics.raw_exports.lines import CutLine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tap_kit import Row

    from tap_kissmetrics.raw_exports.decoding import Decoded
    from tap_kissmetrics.raw_exports.fields import Columns, Line, Usual

EVENTS, PROPERTIES, ALIASES = "raw_events", "raw_properties", "raw_aliases"
REJECTS, FILES = "raw_rejects", "raw_files"
KINDS = (EVENTS, PROPERTIES, ALIASES, REJECTS)
"""The streams that have lines; each line is in one of them."""

Values = dict[str, Any]
_TYPES = {"line": int, "revision": int, "product": str, "properties": dict}


def row_type(fields: Iterable[str]) -> Callable[..., Row]:
    """Return a type of rows with these fields, which are not set at first."""
    return msgspec.defstruct(
        "RawRow", [(field, _TYPES.get(field, Any), UNSET) for field in fields], gc=False
    )


class RowMaker:
    """Makes the rows of one stream, with its selected fields.

    ``columns`` are the fields that properties have, with the vendor's name of each.
    """

    def __init__(self, fields: Sequence[str], columns: Mapping[str, str]) -> None:
        self._fields = fields
        self._columns = {field: name for field, name in columns.items() if field in fields}
        self._type = row_type(fields)

    def rows(self, values: Mapping[str, Iterable[Any]], properties: Sequence[Values]) -> list[Row]:
        """Return rows with these values of each field."""
        own = {field: _texts(properties, name) for field, name in self._columns.items()}
        every = {**values, "properties": properties, **own}
        return list(map(self._type, *(every[field] for field in self._fields)))

    def row(self, values: Mapping[str, Any]) -> Row:
        """Return one row."""
        given = values.get("properties", {})
        own = {field: _text(given.get(name)) for field, name in self._columns.items()}
        return self._type(*({**values, **own}[field] for field in self._fields))


class LineRows:
    """Makes the rows of the lines of one file, for the streams that have a maker in ``makers``."""

    def __init__(self, makers: Mapping[str, RowMaker], product: str, revision: int) -> None:
        self._makers = makers
        self._file = {"product": product, "revision": revision}
        self.counts: Counter[str] = Counter()  # lines of each stream, also without a maker

    def of(
        self, first: int, lines: Sequence[bytes], decoded: Decoded, equal: Mapping[int, int]
    ) -> dict[str, list[Row]]:
        """Return the rows of each stream, in the order of the lines.

        ``first`` is the number of the first line. ``equal`` is the number of equal lines
        before each line, by its index; not where it is 0.
        """
        usual, others = columns_of([*map(first.__add__, decoded.places)], decoded.records)
        found = self._usual(usual)
        rejected = {first + index: reason for index, reason in decoded.reasons.items()}
        for number, other in others.items():
            if isinstance(other, str):
                rejected[number] = other
            else:
                self._add(found, _kind(other), number, _values(other))
        for number, reason in rejected.items():
            self._add(found, REJECTS, number, _rejected(lines[number - first], reason))
        if others or rejected:
            for rows in found.values():
                rows.sort(key=_LINE)
        for field, by_index in (("equal_lines_before", equal), ("mended", decoded.mended)):
            for index, value in by_index.items():
                _set(found, first + index, field, value)
        return found

    def _add(
        self, found: dict[str, list[Row]], kind: str, number: int, values: Mapping[str, Any]
    ) -> None:
        self.counts[kind] += 1
        if kind in self._makers:
            row = self._makers[kind].row({**self._file, "line": number, **_USUAL, **values})
            found.setdefault(kind, []).append(row)

    def _usual(self, usual: Usual) -> dict[str, list[Row]]:
        """Return the rows of lines of the usual form, which are events or properties."""
        found = {}
        for kind, part in ((EVENTS, usual.events), (PROPERTIES, usual.properties)):
            self.counts[kind] += len(part.numbers)
            if kind in self._makers and part.numbers:
                found[kind] = self._makers[kind].rows(self._values(part), part.properties)
        return found

    def _values(self, columns: Columns) -> dict[str, Iterable[Any]]:
        return {
            **{field: repeat(value) for field, value in {**self._file, **_USUAL}.items()},
            "line": columns.numbers,
            "event": columns.names,
            "identity": columns.identities,
            "occurred_at": moments(columns.times),
            "received_at": _received(columns.received),
            "counter": columns.counters,
        }


def _received(seconds: Sequence[int | None]) -> Iterable[Any]:
    return repeat(None) if seconds.count(None) == len(seconds) else moments(seconds)


_USUAL = {"equal_lines_before": 0, "mended": None}
_LINE = attrgetter("line")


def _kind(line: Line) -> str:
    if line.name is not None:
        return EVENTS
    return PROPERTIES if line.second is None else ALIASES


def _values(line: Line) -> Values:
    return {
        "event": line.name,
        "identity": line.identity,
        "second_identity": line.second,
        "occurred_at": line.occurred_at,
        "received_at": line.received_at,
        "counter": line.counter,
        "properties": line.properties,
    }


def _rejected(line: bytes, reason: str) -> Values:
    return {
        "reason": reason,
        "text": line.decode("utf-8", "backslashreplace"),
        "length": line.length if isinstance(line, CutLine) else len(line),
    }


def _set(found: Mapping[str, list[Row]], number: int, field: str, value: object) -> None:
    """Set a field in the row of a line, if there is such a row and it has the field."""
    for rows in found.values():
        place = bisect_left(rows, number, key=_LINE)
        if place < len(rows) and _LINE(rows[place]) == number and hasattr(rows[place], field):
            setattr(rows[place], field, value)


def _texts(properties: Sequence[Values], name: str) -> list[str | None]:
    """Return the value of a property in each line, as a text."""
    values = [one.get(name) for one in properties]
    return values if {*map(type, values)} <= _TEXT_OR_NONE else list(map(_text, values))


_TEXT_OR_NONE = {str, NoneType}


def _text(value: Any) -> str | None:
    """Return a value as a text: what is no text as its JSON."""
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()
