"""Make the compiled types that check rows from the JSON schema of a stream."""

from __future__ import annotations

import functools
import operator
import threading
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

T = TypeVar("T")

_SCALARS: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": int | float,
    "boolean": bool,
    "null": type(None),
}
_PREPARING = threading.Lock()
BOUNDS_64: tuple[float, float] = (-(1 << 63), (1 << 63) - 1)
INTEGER_64 = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]


def row_type(
    name: str,
    schema: Mapping[str, Any],
    fields: Collection[str],
    *,
    computed: Collection[str] = (),
    ignored: Iterable[str] | None = None,
) -> type[msgspec.Struct]:
    """Return a Struct with the given ``fields`` of an object schema, in the schema's order.

    A field that a row does not have is not written, as on the SDK's own path, unless the schema
    requires it. ``computed`` fields are set later, so responses need not have them. With
    ``ignored`` the type accepts exactly these other names and does not decode their values;
    without it, the type ignores all other names.

    Raises:
        ValueError: if a name cannot be the name of a field in a Struct (it contains a quote).
    """
    required = {*schema.get("required", ())} - {*computed}
    definitions: list[Any] = []
    wire_names = {}
    for place, (field, definition) in enumerate(schema["properties"].items()):
        if field not in fields:
            continue
        is_usable = field.isidentifier() and not field.startswith("__")  # Python mangles those
        attribute = field if is_usable else f"_{place}"
        wire_names[attribute] = field
        kind = type_of(definition, is_bounded=ignored is not None)
        optional = () if field in required else (UNSET,)
        definitions.append((attribute, kind | UnsetType if optional else kind, *optional))
    for place, other in enumerate(ignored or ()):
        wire_names[f"_other_{place}"] = other
        definitions.append((f"_other_{place}", msgspec.Raw | UnsetType, UNSET))
    strict = ignored is not None
    options: dict[str, Any] = {"kw_only": True, "gc": False, "forbid_unknown_fields": strict}
    return prepared(msgspec.defstruct(name, definitions, rename=wire_names, **options))


def prepared(kind: T) -> T:
    """Return a type of which threads can make decoders, and to which they can convert.

    msgspec stores what it knows about a Struct in the Struct when it first uses it, and stores it
    unfinished: another thread that uses the Struct meanwhile crashes the process. So one thread at
    a time makes a first decoder.
    """
    with _PREPARING:
        msgspec.json.Decoder(kind)
    return kind


def attributes_of(kind: type[msgspec.Struct], fields: Collection[str]) -> dict[str, str]:
    """Return the attribute of a type for each of ``fields``, which are the names in responses."""
    names = zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True)
    return {field: attribute for field, attribute in names if field in fields}


def type_of(definition: Mapping[str, Any], *, is_bounded: bool = False) -> Any:
    """Return the type of a value that a JSON schema describes.

    ``is_bounded``: the type rejects integers beyond 64 bits, unless the schema declares them.
    """
    kinds = definition.get("type")
    if kinds is None:
        return Any
    types = [
        _compound_type(kind, definition)
        if kind in {"object", "array"}
        else INTEGER_64
        if is_bounded and kind == "integer" and bounds_of(definition) == BOUNDS_64
        else _SCALARS[kind]
        for kind in ([kinds] if isinstance(kinds, str) else kinds)
    ]
    return functools.reduce(operator.or_, types)


def bounds_of(definition: Mapping[str, Any]) -> tuple[float, float]:
    """Return the lowest and the highest integer: those of 64 bits, or wider declared ones."""
    lowest, highest = BOUNDS_64
    return min(definition.get("minimum", 0), lowest), max(definition.get("maximum", 0), highest)


def _compound_type(kind: str, definition: Mapping[str, Any]) -> Any:
    if kind == "array":
        items = definition.get("items")
        return list[type_of(items)] if items else list[Any]  # type: ignore[misc]
    if _is_closed(definition):
        return row_type("Nested", definition, definition["properties"].keys())
    return dict[str, Any]


def _is_closed(definition: Mapping[str, Any]) -> bool:
    """Return whether an object has only the listed properties; others are not written."""
    return "properties" in definition and not definition.get("additionalProperties")


def has_closed_objects(definition: Mapping[str, Any]) -> bool:
    """Return whether a value can contain properties that are not written."""
    return _is_closed(definition) or bool(
        definition.get("items") and has_closed_objects(definition["items"])
    )


def unknown_paths(value: Any, definition: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield the paths of the properties inside a value that are not written."""
    if isinstance(value, list):
        for item in value:
            yield from unknown_paths(item, definition.get("items") or {}, path)
    elif isinstance(value, dict) and _is_closed(definition):
        known = definition["properties"]
        for key, inner in value.items():
            if key in known:
                yield from unknown_paths(inner, known[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}"
