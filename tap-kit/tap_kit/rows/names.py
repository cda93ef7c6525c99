"""Turn the field names of vendors and users into column names that every warehouse accepts."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_NAME_LENGTH = 62  # PostgreSQL cuts at 63 bytes
"""The largest length of a column name, in characters."""


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
    used = set(taken)
    unique = []
    for name in map(snake_case, names):
        candidate, number = name, 1
        while candidate in used:
            number += 1
            suffix = f"_{number}"
            candidate = name[: MAX_NAME_LENGTH - len(suffix)] + suffix
        used.add(candidate)
        unique.append(candidate)
    return unique


def unique_labels(labels: Iterable[str]) -> list[str]:
    """Return the labels in order; repeated ones get a number: ``Visits (2)``."""
    used: set[str] = set()
    unique = []
    for label in labels:
        candidate, number = label, 1
        while candidate in used:
            number += 1
            candidate = f"{label} ({number})"
        used.add(candidate)
        unique.append(candidate)
    return unique
