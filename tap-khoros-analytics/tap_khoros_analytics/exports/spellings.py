"""Which column of an export a name in its header or rows belongs to."""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    Keys = Iterable[tuple[str, ...]]

_ANY = "any"  # instead of signs


@dataclass(frozen=True)
class Column:
    """A column: our ``field``, and the vendor's ``metric`` id, by which it is requested.

    ``json_only``: the vendor has it in JSON exports only. ``names``: how the vendor writes it, as
    far as that is known. ``type`` is the one of its values in our rows, see `exports.types`.
    """

    field: str
    metric: str
    description: str = "As the vendor sends it."
    json_only: bool = False
    names: tuple[str, ...] = ()
    type: str = "text"

    @property
    def derived_field(self) -> str | None:
        """The field beside it: its text where that does not fit the type, or its seconds."""
        if self.type == "text":
            return None
        return f"{self.field}_seconds" if self.type == "duration" else f"{self.field}_raw"


def spelling_of(name: str) -> tuple[str, str]:
    """Return what the spellings of a name have in common, such as AGENT_ID and ``agentId``.

    It is a normal form, and the signs that a metric id cannot express, such as a percent sign.
    Different names can have both in common. So this never identifies a column: see `matched`.
    """
    plain = unicodedata.normalize("NFKC", name)
    form = re.sub(r"[\W_]+", "", plain).casefold()
    return (form, re.sub(r"[\w\s-]+", "", plain)) if form else (plain, "")


def matched(names: Sequence[str], columns: Iterable[Column]) -> list[Column | None]:
    """Return the column of each name in one header; None for a name without one.

    Each column has one name at most. The first choice is the name that it is known by, then its
    metric id or field, then another spelling of these. Where several names can be the same column,
    the first one is; where several columns can have the same name, they get it in their order.
    """
    found: list[Column | None] = [None] * len(names)
    free = list(columns)
    for keys_of_name, keys_of_column in _COMPARISONS:
        by_key: dict[tuple[str, ...], deque[Column]] = {}
        for column in free:
            for key in dict.fromkeys(keys_of_column(column)):
                by_key.setdefault(key, deque()).append(column)
        taken: set[str] = set()
        for place, name in enumerate(names):
            if found[place] is None:
                found[place] = _first_free(keys_of_name(name), by_key, taken)
        free = [column for column in free if column.field not in taken]
    return found


def _first_free(
    keys: Keys, by_key: Mapping[tuple[str, ...], deque[Column]], taken: set[str]
) -> Column | None:
    for key in keys:
        columns = by_key.get(key, deque())
        while columns:
            column = columns.popleft()
            if column.field not in taken:
                taken.add(column.field)
                return column
    return None


def _spellings_of_name(name: str) -> Keys:
    form, signs = spelling_of(name)
    return [(form, signs), (form, _ANY)]


def _spellings_of_column(column: Column) -> Iterator[tuple[str, ...]]:
    """Yield the spellings of a column, without signs too: a metric id cannot express them.

    If the column may be known by its metric id only, its name can have any signs.
    """
    for name in column.names:
        form, signs = spelling_of(name)
        yield from ((form, signs), (form, ""))
    if not column.names or column.metric in column.names:
        for name in (*column.names, column.metric, column.field):
            yield spelling_of(name)[0], _ANY
    else:
        yield spelling_of(column.metric)[0], ""


_COMPARISONS: tuple[tuple[Callable[[str], Keys], Callable[[Column], Keys]], ...] = (
    (lambda name: [(name,)], lambda column: [(name,) for name in column.names]),
    (lambda name: [(name,)], lambda column: [(column.metric,), (column.field,)]),
    (_spellings_of_name, _spellings_of_column),
)
