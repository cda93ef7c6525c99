"""Turn the field names of vendors and users into column names that every warehouse accepts."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MAX_NAMES = 5_000
"""The largest number of different field names that a tap reads from one source.

With more, the vendor seems to use values as names.
"""
MAX_NAME_LENGTH = 62  # PostgreSQL cuts at 63 bytes
"""The largest length of a column name, in characters."""
_MAX_LISTED = 20  # names in a message


def snake_case(name: str) -> str:
    """Return the name in snake_case, in ASCII.

    ``Responding Agent Name``, ``respondingAgentName`` and ``RESPONDING_AGENT_NAME`` are all
    ``responding_agent_name``. Accents are removed; a name without a letter or digit in ASCII
    becomes ``column``.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", plain)
    words = re.sub(r"[^A-Za-z0-9]+", "_", spaced).strip("_").lower()
    if not words:
        return "column"
    return (words if words[0].isalpha() else f"column_{words}")[:MAX_NAME_LENGTH].rstrip("_")


def unique_names(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """Return the names in snake_case, in order, different from each other and from ``taken``."""

    def numbered(name: str, number: int) -> str:
        suffix = f"_{number}"
        return name[: MAX_NAME_LENGTH - len(suffix)] + suffix

    return _unique(map(snake_case, names), taken, numbered)


def unique_labels(labels: Iterable[str]) -> list[str]:
    """Return the labels in order; repeated ones get a number: ``Visits (2)``."""
    return _unique(labels, (), "{} ({})".format)


def _unique(
    names: Iterable[str], taken: Iterable[str], numbered: Callable[[str, int], str]
) -> list[str]:
    used = set(taken)
    numbers: dict[str, int] = {}  # the last one of each name, so that none is tried twice
    unique = []
    for name in names:
        candidate, number = name, numbers.get(name, 1)
        while candidate in used:
            number += 1
            candidate = numbered(name, number)
        numbers[name] = number
        used.add(candidate)
        unique.append(candidate)
    return unique


def listed(names: Iterable[str]) -> str:
    """Return names for a message: sorted and quoted, the first 20 of them."""
    quoted = sorted(map(repr, names))
    more = len(quoted) - _MAX_LISTED
    tail = [f"... and {more:,} more fields"] if more > 0 else []
    return ", ".join([*quoted[:_MAX_LISTED], *tail])
