"""Check what a type of values cannot express: calendar dates and times, integers of 64 bits.

A target converts such values and fails at one that is not valid, with all the rows of its batch.
So a value that does not fit is written as null, with a warning. Valid values keep their spelling.
A date-time needs an offset (RFC 3339); its spelling is mended where the moment is clear.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections import Counter
from datetime import date, datetime
from functools import lru_cache, partial
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec
from msgspec import UNSET

from tap_kit.errors import SyncFailed
from tap_kit.rows.types import BOUNDS_64, INTEGER_64, bounds_of

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

_DATE_TIME = Annotated[datetime, msgspec.Meta(tz=True)]
_DATES: dict[str, tuple[Any, str]] = {
    "date": (date, "a valid date"),
    "date-time": (_DATE_TIME, "a valid date-time"),
}
# msgspec also accepts a space for the T, and an offset without a colon; RFC 3339 does not.
_T = 10  # the place of the T
_SPELLING = re.compile(r"(.{10})[Tt ](.+?)(?:([+-]\d\d):?(\d\d))?")


class Leaf(NamedTuple):
    """What is checked of a value: a format, or the bounds of an integer."""

    kind: Any  # None for an integer
    bounds: tuple[float, float]
    expected: str
    is_nullable: bool

    @property
    def has_type(self) -> bool:
        """Whether a type can express it: see ``rows.types``."""
        return self.kind is None and self.bounds == BOUNDS_64

    def accepts(self, value: Any) -> bool:
        """Return whether a value fits; the type of the row decides about one of another type."""
        if isinstance(value, int):
            return self.bounds[0] <= value <= self.bounds[1]
        if self.kind is None or not isinstance(value, str):
            return True
        try:
            msgspec.convert(value, self.kind)
        except msgspec.ValidationError:
            return False
        return self.kind is not _DATE_TIME or _have_spelling([value])

    def mended(self, value: Any) -> Any:
        """Return a date-time in the spelling of RFC 3339; another value as it is."""
        if self.kind is not _DATE_TIME or not isinstance(value, str):
            return value
        found = _SPELLING.fullmatch(value)
        if found is None:
            return value
        offset = f"{found[3]}:{found[4]}" if found[3] else ""
        return f"{found[1]}T{found[2]}{offset}"


def leaf_of(definition: Mapping[str, Any]) -> Leaf | None:
    """Return what is checked of a value of a JSON schema; None for nothing."""
    kinds = definition.get("type") or ()
    kinds = {kinds} if isinstance(kinds, str) else {*kinds}
    kind, expected = _DATES.get(definition.get("format", ""), (None, "an integer of 64 bits"))
    is_integer = "integer" in kinds and "number" not in kinds
    if not is_integer and (kind is None or "string" not in kinds):
        return None
    return Leaf(kind, bounds_of(definition), expected, "null" in kinds)


def has_leaves(definition: Mapping[str, Any]) -> bool:
    """Return whether something inside of a value is checked."""
    inner = [*definition.get("properties", {}).values()]
    if definition.get("items"):
        inner.append(definition["items"])
    return any(leaf_of(one) or has_leaves(one) for one in inner)


class FormatCheck:
    """Checks the values of a stream's rows, and replaces those that do not fit.

    ``attributes`` are the selected fields and their attributes in a row. ``keys`` cannot be null.
    """

    def __init__(
        self,
        stream: str,
        logger: logging.Logger,
        properties: Mapping[str, Any],
        attributes: Mapping[str, str],
        keys: Collection[str],
    ) -> None:
        self._stream = stream
        self._logger = logger
        self._keys = keys
        self._lock = threading.Lock()  # several threads read the tasks of a stream
        self._nulls: Counter[tuple[str, str]] = Counter()
        self._by_kind: dict[Any, list[tuple[str, str, Leaf]]] = {}
        self._nested: list[tuple[str, str, Mapping[str, Any]]] = []
        for field, attribute in attributes.items():
            definition = properties[field]
            if leaf := leaf_of(definition):
                self._by_kind.setdefault(leaf.kind, []).append((field, attribute, leaf))
            if has_leaves(definition):
                self._nested.append((field, attribute, definition))

    def check(self, rows: Sequence[msgspec.Struct], unbounded: Collection[str] | None) -> None:
        """Replace the values that do not fit with null.

        ``unbounded``: the fields whose integers no type has checked; None for all.

        Raises:
            SyncFailed: if such a value belongs to a key, or the schema does not allow null.
        """
        for kind, leaves in self._by_kind.items():
            if kind is None:
                self._check_integers(rows, leaves, unbounded)
            elif not _all_valid(rows, kind, [attribute for _, attribute, _ in leaves]):
                for leaf in leaves:
                    self._replace(rows, *leaf)
        for field, attribute, definition in self._nested:
            for row in rows:
                self._check_inside(getattr(row, attribute), definition, field)

    def _check_integers(
        self,
        rows: Sequence[msgspec.Struct],
        leaves: Sequence[tuple[str, str, Leaf]],
        unbounded: Collection[str] | None,
    ) -> None:
        for field, attribute, leaf in leaves:
            is_checked = leaf.has_type and unbounded is not None and field not in unbounded
            if not is_checked and not _all_within(_reader_of(attribute)(rows), leaf):
                self._replace(rows, field, attribute, leaf)

    def _replace(
        self, rows: Sequence[msgspec.Struct], field: str, attribute: str, leaf: Leaf
    ) -> None:
        for row in rows:
            setattr(row, attribute, self._fitting(getattr(row, attribute), leaf, field))

    def report(self) -> None:
        """Log the number of values that were replaced, apart from the first one of each field."""
        for (field, expected), count in self._nulls.items():
            if count > 1:
                self._logger.warning(
                    "%s: field %s: %s more values are not %s; written as null",
                    self._stream,
                    field,
                    f"{count - 1:,}",
                    expected,
                )
        self._nulls.clear()

    def _fitting(self, value: Any, leaf: Leaf, field: str) -> Any:
        if value is None or value is UNSET or leaf.accepts(value):
            return value
        mended = leaf.mended(value)
        if leaf.accepts(mended):
            return mended
        if not leaf.is_nullable or field in self._keys:
            msg = f"{self._stream}: field {field}: expected {leaf.expected}, and it cannot be null"
            raise SyncFailed(msg)
        with self._lock:
            self._nulls[field, leaf.expected] += 1
            is_first = self._nulls[field, leaf.expected] == 1
        if is_first:
            self._logger.warning(
                "%s: field %s: a value is not %s; written as null",
                self._stream,
                field,
                leaf.expected,
            )
        return None

    def _check_inside(self, value: Any, definition: Mapping[str, Any], path: str) -> None:
        """Replace what does not fit inside of an object or a list."""
        for inner, inner_definition, inner_path, replace in _parts_of(value, definition, path):
            leaf = leaf_of(inner_definition)
            if leaf and (fitting := self._fitting(inner, leaf, inner_path)) is not inner:
                replace(fitting)
            else:
                self._check_inside(inner, inner_definition, inner_path)


@lru_cache(maxsize=1_000)
def _reader_of(attribute: str) -> Callable[[Iterable[Any]], list[Any]]:
    """Return a function that reads an attribute of all rows, where it is not None.

    With the name in its code it takes a third of the time of ``attrgetter``, which would make
    this check the slowest part of the fast path.
    """

    def read(rows: Iterable[Any]) -> list[Any]:
        return [value for row in rows for value in [row.attribute] if value is not None]

    return FunctionType(_with_name(read.__code__, attribute), {})


def _with_name(code: CodeType, attribute: str) -> CodeType:
    """Return the code of ``read``, with that of its comprehension, for another attribute."""
    parts = (_with_name(p, attribute) if isinstance(p, CodeType) else p for p in code.co_consts)
    names = (attribute if name == "attribute" else name for name in code.co_names)
    return code.replace(co_consts=tuple(parts), co_names=tuple(names))


def _all_valid(rows: Sequence[msgspec.Struct], kind: Any, attributes: Sequence[str]) -> bool:
    """Return whether compiled code accepts these dates or times of all rows.

    False if each has to be looked at.
    """
    values: list[Any] = []
    for attribute in attributes:
        column = _reader_of(attribute)(rows)
        if column and column[0] is UNSET:
            column = [value for value in column if value is not UNSET]
        values += column
    try:
        msgspec.convert(values, list[kind])
    except msgspec.ValidationError:
        return False
    return kind is not _DATE_TIME or _have_spelling(values)


def _have_spelling(values: Sequence[str]) -> bool:
    """Return whether valid date-times with an offset are in the spelling of RFC 3339.

    None of them has a space. Each has two colons in its time, and a Z or a colon in its offset:
    they are counted in all of them together, where `_are_alike` does not tell.
    """
    text = "".join(values)
    if _are_alike(text, len(values)):
        return True
    expected, colons = 3 * len(values), text.count(":")
    has_offsets = colons == expected or colons + text.count("Z") + text.count("z") == expected
    return has_offsets and " " not in text


def _are_alike(text: str, count: int) -> bool:
    """Return whether so many valid date-times in a row are equally long and all spelled well.

    A valid date-time has at most one T, after ten characters. So, if there is one in the same place
    of each part of the text, each part is a date-time. A colon before the last two characters
    is that of the offset.
    """
    length = len(text) // count if count else 0
    if length <= _T or text[_T::length] != "T" * count or len(text) != length * count:
        return False
    return text[length - 3 :: length] == ":" * count or text[length - 1 :: length] == "Z" * count


def _all_within(values: Sequence[Any], leaf: Leaf) -> bool:
    """Return whether all integers are within their bounds."""
    if leaf.has_type:
        with contextlib.suppress(msgspec.ValidationError):  # some may be no integers
            msgspec.convert(values, list[INTEGER_64])
            return True
    numbers = [value for value in values if isinstance(value, int)]
    lowest, highest = leaf.bounds
    return not numbers or (lowest <= min(numbers) and max(numbers) <= highest)


_Part = tuple[Any, "Mapping[str, Any]", str, "Callable[[None], None]"]


def _parts_of(value: Any, definition: Mapping[str, Any], path: str) -> Iterator[_Part]:
    """Yield what a value contains, with its definition, its path and a function to replace it."""
    if isinstance(value, list):
        items = definition.get("items") or {}
        for place, item in enumerate(value):
            yield item, items, path, partial(value.__setitem__, place)
    known = definition.get("properties", {})
    if isinstance(value, dict):
        for name in known.keys() & value.keys():
            yield value[name], known[name], f"{path}.{name}", partial(value.__setitem__, name)
    elif isinstance(value, msgspec.Struct):
        names = zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True)
        for name, attribute in names:
            inner = getattr(value, attribute)
            yield inner, known[name], f"{path}.{name}", partial(setattr, value, attribute)
