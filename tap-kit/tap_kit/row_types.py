"""From a stream's JSON schema to a compiled type that checks its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_SCALARS: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": int | float,
    "boolean": bool,
    "null": None,
}


def row_type(name: str, schema: Mapping[str, Any], fields: Collection[str]) -> type[msgspec.Struct]:
    """A Struct with those ``fields`` of an object schema, in the schema's order.

    A field that a row does not have stays out of what is written, as on the SDK's own path, unless
    the schema requires it.
    """
    required = set(schema.get("required", ()))
    definitions: list[Any] = []
    for field, definition in schema["properties"].items():
        if field not in fields:
            continue
        kind = _type_of(definition)
        definitions.append((field, kind) if field in required else (field, kind | UnsetType, UNSET))
    return msgspec.defstruct(name, definitions, kw_only=True, gc=False)


def _type_of(definition: Mapping[str, Any]) -> Any:
    kinds = definition.get("type")
    if kinds is None:
        return Any
    union: Any = None
    for kind in [kinds] if isinstance(kinds, str) else kinds:
        python = _compound(kind, definition) if kind in {"object", "array"} else _SCALARS[kind]
        union = python if union is None else union | python
    return union if union is not None else type(None)


def _compound(kind: str, definition: Mapping[str, Any]) -> Any:
    if kind == "array":
        items = definition.get("items")
        return list[_type_of(items)] if items else list[Any]  # type: ignore[misc]
    if "properties" in definition and not definition.get("additionalProperties"):
        return row_type("Nested", definition, definition["properties"].keys())
    return dict[str, Any]
