"""Names of fields that a vendor or a user made up, as columns that every warehouse takes."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_NAME = 62  # PostgreSQL cuts at 63 bytes


def snake_case(name: str) -> str:
    """``Responding Agent Name``, ``respondingAgentName`` and ``RESPONDING_AGENT_NAME`` become one.

    Letters of other alphabets stay as near to ASCII as Unicode takes them apart; what is left
    without any letter or digit is ``column``.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", plain)
    words = re.sub(r"[^A-Za-z0-9]+", "_", spaced).strip("_").lower()
    if not words:
        return "column"
    return (words if words[0].isalpha() else f"column_{words}")[:LONGEST_NAME].rstrip("_")


def unique_names(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """The names in snake_case, in order, all different from each other and from ``taken``."""
    used = set(taken)
    unique = []
    for name in map(snake_case, names):
        candidate, number = name, 1
        while candidate in used:
            number += 1
            ending = f"_{number}"
            candidate = name[: LONGEST_NAME - len(ending)] + ending
        used.add(candidate)
        unique.append(candidate)
    return unique


def unique_labels(labels: Iterable[str]) -> list[str]:
    """The labels as they are, in order; one that comes again has its number behind it."""
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
