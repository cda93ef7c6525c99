"""From a stream's JSON schema to a compiled type that checks its rows."""

from __future__ import annotations

import functools
import operator
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

_SCALARS: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": int | float,
    "boolean": bool,
    "null": type(None),
}


def row_type(
    name: str,
    schema: Mapping[str, Any],
    fields: Collection[str],
    *,
    computed: Collection[str] = (),
    passed_over: Iterable[str] | None = None,
) -> type[msgspec.Struct]:
    """A Struct with those ``fields`` of an object schema, in the schema's order.

    A field that a row does not have is not written, as on the SDK's own path, unless the schema
    requires it. ``computed`` fields are set later, so no response has to have them. With
    ``passed_over`` the type accepts exactly these other names and does not read their values;
    without it, the type ignores all other names.

    Raises:
        ValueError: when one of the names is none that a type can have (it holds a quote).
    """
    required = {*schema.get("required", ())} - {*computed}
    definitions: list[Any] = []
    vendors_names = {}
    for place, (field, definition) in enumerate(schema["properties"].items()):
        if field not in fields:
            continue
        usable = field.isidentifier() and not field.startswith("__")  # which Python mangles
        ours = field if usable else f"_{place}"
        vendors_names[ours] = field
        kind = type_of(definition)
        definitions.append((ours, kind) if field in required else (ours, kind | UnsetType, UNSET))
    for place, other in enumerate(passed_over or ()):
        vendors_names[f"_other_{place}"] = other
        definitions.append((f"_other_{place}", msgspec.Raw | UnsetType, UNSET))
    return msgspec.defstruct(
        name,
        definitions,
        rename=vendors_names,
        kw_only=True,
        gc=False,
        forbid_unknown_fields=passed_over is not None,
    )


def attributes_of(kind: type[msgspec.Struct], fields: Collection[str]) -> list[str]:
    """The attributes of a type that stand for ``fields``, by the vendor's names."""
    names = zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True)
    return [ours for ours, field in names if field in fields]


def type_of(definition: Mapping[str, Any]) -> Any:
    """The type of a value that a JSON schema describes."""
    kinds = definition.get("type")
    if kinds is None:
        return Any
    types = [
        _compound(kind, definition) if kind in {"object", "array"} else _SCALARS[kind]
        for kind in ([kinds] if isinstance(kinds, str) else kinds)
    ]
    return functools.reduce(operator.or_, types)


def _compound(kind: str, definition: Mapping[str, Any]) -> Any:
    if kind == "array":
        items = definition.get("items")
        return list[type_of(items)] if items else list[Any]  # type: ignore[misc]
    if _is_closed(definition):
        return row_type("Nested", definition, definition["properties"].keys())
    return dict[str, Any]


def _is_closed(definition: Mapping[str, Any]) -> bool:
    """Whether an object has the listed properties only; what else comes is left out."""
    return "properties" in definition and not definition.get("additionalProperties")


def has_closed_objects(definition: Mapping[str, Any]) -> bool:
    """Whether there can be something to leave out inside a value."""
    return _is_closed(definition) or bool(
        definition.get("items") and has_closed_objects(definition["items"])
    )


def unknown_inside(value: Any, definition: Mapping[str, Any], path: str) -> Iterator[str]:
    """The paths of what is left out of a value that has the right type."""
    if isinstance(value, list):
        for item in value:
            yield from unknown_inside(item, definition.get("items") or {}, path)
    elif isinstance(value, dict) and _is_closed(definition):
        known = definition["properties"]
        for key, inner in value.items():
            if key in known:
                yield from unknown_inside(inner, known[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}"
