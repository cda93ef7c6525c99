"""Take the vendor's own fields (``_p``, ``_t``, ``_n`` ...) out of objects; properties are left."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from itertools import compress, repeat
from types import NoneType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from tap_kissmetrics.raw_exports.decoding import Record

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


def columns_of(
    numbers: Sequence[int], records: Sequence[Record]
) -> tuple[Columns, dict[int, Line | str]]:
    """Return the fields of records of the usual form, and the other lines by their number.

    Of a line that cannot be used, the reason is returned. The records lose these fields.
    """
    others: dict[int, Line | str] = {}
    numbers, records = [*numbers], [*records]
    for place in reversed([at for at, record in enumerate(records) if "_p2" in record]):
        others[numbers.pop(place)] = line_of(records.pop(place))
    identities, times, names, counters, received = _taken(records)
    columns = Columns(numbers, identities, times, names, counters, received, records)
    if unusual := sorted(_unusual_places(columns)):
        for place in unusual:
            record = records[place]
            values = {name: columns[at][place] for at, name in enumerate(_FIELDS, 1)}
            record.update({name: value for name, value in values.items() if value is not UNSET})
            others[numbers[place]] = line_of(record)
        columns = Columns(*_without(columns, unusual))
    return columns, others


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
        found.update(at for at, identity in enumerate(columns.identities) if not identity)
    found |= _others(columns.names, _TEXT_OR_UNSET)
    found |= _others(columns.times, _INTEGER, (LOWEST_S, HIGHEST_S))
    found |= _others(columns.counters, _INTEGER_OR_NONE, (-_MAX_COUNTER, _MAX_COUNTER))
    return found | _others(columns.received, _INTEGER_OR_NONE, (LOWEST_S, HIGHEST_S))


def _others(
    values: Sequence[Any], kinds: AbstractSet[Any], limits: tuple[int, int] | None = None
) -> set[int]:
    """Return the places of values that are of no such kind, or integers beyond the limits."""
    present = {*map(type, values)}
    found: set[int] = set()
    if not present <= kinds:
        found.update(at for at, value in enumerate(values) if type(value) not in kinds)
    if limits is not None and int in present:
        lowest, highest = limits
        integers = values if present == {int} else [one for one in values if type(one) is int]
        if not lowest <= min(integers) <= max(integers) <= highest:
            each = enumerate(values)
            found.update(
                at for at, one in each if type(one) is int and not lowest <= one <= highest
            )
    return found


def _is_counter(value: Any) -> bool:
    return type(value) is int and abs(value) <= _MAX_COUNTER


def _without(columns: Iterable[Sequence[Any]], places: Sequence[int]) -> list[list[Any]]:
    keeps = bytearray(b"\1") * (max(places, default=-1) + 1)
    for place in places:
        keeps[place] = 0
    return [[*compress(column, keeps), *column[len(keeps) :]] for column in columns]


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
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return moments([value])[0] if LOWEST_S <= value <= HIGHEST_S else None
    return None
