"""Take the vendor's own fields (``_p``, ``_t``, ``_n`` ...) out of objects; properties are left."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from itertools import compress, count, repeat
from operator import is_, not_
from types import NoneType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet

    from tap_kissmetrics.raw_exports.decoding import Record

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
LOWEST_S = int(datetime(1, 1, 1, tzinfo=timezone.utc).timestamp())
HIGHEST_S = int(datetime(9999, 12, 31, tzinfo=timezone.utc).timestamp())
_MAX_COUNTER = (1 << 63) - 1
_SECONDS = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,9})?")
_ALL, _MOBILE = ("_p", "_t", "_n"), ("_c", "_server_timestamp")
_FIELDS = (*_ALL, *_MOBILE)
T = TypeVar("T")

_pop: Callable[..., Any] = dict.pop
_contains: Callable[..., bool] = dict.__contains__
_TEXT, _TEXT_OR_UNSET = {str}, {str, UnsetType}
_INTEGER, _INTEGER_OR_NONE = {int}, {int, NoneType}


class Line(NamedTuple):
    """What a line says. It is an event with a ``name``, or an alias with a ``second`` identity."""

    identity: str
    occurred_at: datetime
    name: str | None
    second: str | None
    received_at: datetime | None
    counter: int | None
    properties: Record


class Columns(NamedTuple):
    """The fields of lines of the usual form, one column for each field."""

    numbers: Sequence[int]  # of the lines in the file, from 1
    identities: Sequence[str]
    times: Sequence[int]
    names: Sequence[str | UnsetType]
    counters: Sequence[int | None]
    received: Sequence[int | None]
    properties: Sequence[Record]

    def where(self, keeps: Sequence[bool]) -> Columns:
        """Return the lines at which ``keeps`` is true."""
        if False not in keeps:
            return self
        return Columns._make([*compress(column, keeps)] for column in self)


class Usual(NamedTuple):
    """The lines of the usual form: events, and properties without an event."""

    events: Columns
    properties: Columns


def columns_of(
    numbers: Sequence[int], records: Sequence[Record]
) -> tuple[Usual, dict[int, Line | str]]:
    """Return the fields of records of the usual form, and the other lines by their number.

    Of a line that cannot be used, the reason is returned. The records lose these fields.
    """
    aliases = compress(count(), map(_contains, records, repeat("_p2")))
    unusual = {*aliases}
    identities, times, names, counters, received = _taken(records)
    columns = Columns(numbers, identities, times, names, counters, received, records)
    unusual |= _unusual_places(columns)
    others: dict[int, Line | str] = {}
    is_other = [*map(is_, columns.names, repeat(UNSET))]
    is_event = [*map(not_, is_other)]
    for place in sorted(unusual):
        is_other[place] = is_event[place] = False
        record = records[place]
        values = {name: columns[at][place] for at, name in enumerate(_FIELDS, 1)}
        record.update({name: value for name, value in values.items() if value is not UNSET})
        others[numbers[place]] = line_of(record)
    return Usual(columns.where(is_event), columns.where(is_other)), others


def _taken(records: Sequence[Record]) -> list[list[Any]]:
    """Take the vendor's fields out of the records; return a column for each."""
    is_mobile = any(True in map(_contains, records, repeat(name)) for name in _MOBILE)
    columns = [[*map(_pop, records, repeat(name), repeat(UNSET))] for name in _ALL]
    if is_mobile:
        return [*columns, *([*map(_pop, records, repeat(name), repeat(None))] for name in _MOBILE)]
    return [*columns, [None] * len(records), [None] * len(records)]


def _unusual_places(columns: Columns) -> set[int]:
    """Return the places of lines that do not have the usual form.

    Compiled code looks at all lines; Python only at a column in which it finds something.
    """
    found = _others(columns.identities, _TEXT)
    if not all(columns.identities):
        found.update(compress(count(), map(not_, columns.identities)))
    found |= _others(columns.names, _TEXT_OR_UNSET)
    found |= _others(columns.times, _INTEGER, (LOWEST_S, HIGHEST_S))
    found |= _others(columns.counters, _INTEGER_OR_NONE, (-_MAX_COUNTER, _MAX_COUNTER))
    return found | _others(columns.received, _INTEGER_OR_NONE, (LOWEST_S, HIGHEST_S))


def _others(
    values: Sequence[Any], kinds: AbstractSet[Any], limits: tuple[int, int] | None = None
) -> set[int]:
    """Return the places of values that are of no such kind, or integers beyond the limits."""
    types = [*map(type, values)]
    present = {*types}
    unusual = present - kinds
    found = {*compress(count(), map(unusual.__contains__, types))} if unusual else set()
    if limits is not None and int in present:
        is_integer = [*map(is_, types, repeat(int))]
        integers, (lowest, highest) = [*compress(values, is_integer)], limits
        if not lowest <= min(integers) <= max(integers) <= highest:
            places = [*compress(range(len(values)), is_integer)]
            found.update(compress(places, map(lowest.__gt__, integers)))
            found.update(compress(places, map(highest.__lt__, integers)))
    return found


def _is_counter(value: Any) -> bool:
    return type(value) is int and abs(value) <= _MAX_COUNTER


def line_of(record: Record) -> Line | str:
    """Return what one line says, or why it cannot be used; the properties are left in ``record``.

    A counter or a time of receipt that is none stays a property.
    """
    identity, occurred_at = text_of(record.pop("_p", None)), time_of(record.pop("_t", None))
    if not identity:
        return "has no _p, or it is no text"
    if occurred_at is None:
        return "has no _t, or it is no time"
    name = second = None
    if "_n" in record:
        name = text_of(record.pop("_n"))
        if name is None:
            return "has a _n that is no text"
    elif "_p2" in record:
        second = text_of(record.pop("_p2"))
        if not second:
            return "has a _p2 that is no text"
    received_at = _taken_if(record, "_server_timestamp", time_of)
    counter = _taken_if(record, "_c", lambda value: value if _is_counter(value) else None)
    return Line(identity, occurred_at, name, second, received_at, counter, record)


def _taken_if(record: Record, name: str, convert: Callable[[Any], T | None]) -> T | None:
    """Take a field out of a record if it can be converted, or if it is null."""
    value = record.get(name)
    converted = convert(value)
    if converted is not None or value is None:
        record.pop(name, None)
    return converted


def text_of(value: Any) -> str | None:
    """Return a text or a number as a text; None for anything else."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None


def moments(seconds: Sequence[float | None]) -> Sequence[Any]:
    """Return seconds since 1970 as times, and None as None; compiled code makes them."""
    return msgspec.convert(seconds, list[datetime | None], strict=False)


def time_of(value: Any) -> datetime | None:
    """Return seconds since 1970, also as a text, as a time; None for anything else."""
    if isinstance(value, str) and _SECONDS.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if not LOWEST_S <= value <= HIGHEST_S:
        return None
    is_whole = isinstance(value, int)  # Python's own way is faster for a single one
    return _EPOCH + timedelta(seconds=value) if is_whole else moments([value])[0]
