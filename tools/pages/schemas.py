"""Types of properties in a JSON schema, in every form that the SDK writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def kinds_of(definition: Mapping[str, Any]) -> list[str]:
    """Return the types of a property, null included; empty where the schema names none."""
    kinds = definition.get("type", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)


def kind_of(definition: Mapping[str, Any], default: str) -> str:
    """Return the first type of a property that is not null."""
    return next((kind for kind in kinds_of(definition) if kind != "null"), default)
