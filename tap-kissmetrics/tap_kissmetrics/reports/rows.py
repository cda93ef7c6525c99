"""Rows of a report's result, in either of their shapes, and what their columns are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from tap_kit.rows.names import unique_labels

if TYPE_CHECKING:
    from collections.abc import Sequence


class Person(NamedTuple):
    """One row of a result: who, and the values of the report's columns in order.

    ``labels`` are the columns of a row that names them itself.
    """

    kmid: int | None
    identity: str | None
    values: list[Any]
    labels: list[str] | None = None


def person_of(row: Any, *, of_people: bool = True) -> Person:
    """A row in any of its shapes.

    ``[kmid, identity, ...]`` or ``{identity, columns}`` where a report finds people. Other reports
    (funnels, cohorts) give an object for each step, or an array: all of it is values.
    """
    if isinstance(row, list):
        return Person(row[0], row[1], row[2:]) if of_people else Person(None, None, row)
    if isinstance(row.get("columns"), list):
        return Person(row.get("kmid"), row.get("identity"), row["columns"])
    return Person(None, None, list(row.values()), list(row))


def labels_of(
    answered: Sequence[Any] | None, configured: Sequence[str], people: Sequence[Person]
) -> list[str]:
    """The columns' labels: the answer's, else the settings', else ``column_N``; all different.

    An answer names the two columns of the person too, when it names any.
    """
    width = max((len(person.values) for person in people), default=0)
    if answered and len(answered) == width + 2:
        given = [_label(column) for column in answered[2:]]
    elif answered and len(answered) == width:
        given = [_label(column) for column in answered]
    else:
        given = list(configured)[:width]
    numbered = [f"column_{number}" for number in range(len(given) + 1, width + 1)]
    return unique_labels([*given, *numbered])


def _label(column: Any) -> str:
    """The vendor's own rule for a header: ``display_name (display_return_option)``."""
    if not isinstance(column, dict):
        return str(column)
    option = column.get("display_return_option")
    return f"{column.get('display_name')} ({option})" if option else str(column.get("display_name"))


def as_text(value: Any) -> str | None:
    """A value of unknown kind as text: the vendor's text as it is, everything else as JSON."""
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()
