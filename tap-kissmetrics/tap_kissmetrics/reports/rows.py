"""Rows of a report's result, in each of their shapes, and the labels of their columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from tap_kit import unique_labels

if TYPE_CHECKING:
    from collections.abc import Sequence


PERSON = ("kmid", "person")
"""How the vendor labels the two columns of the person, in lower case."""


class Person(NamedTuple):
    """One row of a result: the person, and the values of the report's columns in order.

    ``labels`` are the names of the columns, if the row has them itself.
    """

    kmid: int | None
    identity: str | None
    values: list[Any]
    labels: list[str] | None = None


def person_of(row: Any, *, of_people: bool = True) -> Person:
    """Return a row of any shape.

    It is ``[kmid, identity, ...]`` or ``{identity, columns}`` if the report finds people. Other
    reports (funnels, cohorts) have an object or an array for each step: all of it is values.
    """
    if isinstance(row, list):
        return Person(row[0], row[1], row[2:]) if of_people else Person(None, None, row)
    if isinstance(row.get("columns"), list):
        return Person(row.get("kmid"), row.get("identity"), row["columns"])
    return Person(None, None, list(row.values()), list(row))


def labels_of(
    sent: Sequence[str] | None, configured: Sequence[str], people: Sequence[Person]
) -> list[str]:
    """Return the columns' labels, all different.

    They are those that the response sent, else those in the settings, else ``column_N``. A response
    that sends any also labels the two columns of the person. Rows may have fewer cells or more.
    """
    width = max((len(person.values) for person in people), default=0)
    if sent and (len(sent) == width + 2 or tuple(map(str.casefold, sent[:2])) == PERSON):
        given = [*sent[2:]][:width]
    elif sent and len(sent) == width:
        given = [*sent]
    else:
        given = list(configured)[:width]
    numbered = [f"column_{number}" for number in range(len(given) + 1, width + 1)]
    return unique_labels([*given, *numbered])


def as_text(value: Any) -> str | None:
    """Return a value of any type as text: a text as it is, everything else as JSON."""
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()
