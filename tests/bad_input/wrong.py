"""Invalid values of a setting, derived from its JSON schema, so that new settings are covered."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Schema = dict[str, Any]

OF_TYPE: dict[str, Any] = {
    "string": "s3cret-valve",
    "integer": 7,
    "number": 7.5,
    "boolean": True,
    "array": ["s3cret-valve"],
    "object": {"s3cret-valve": 1},
}
DATES = ("2024-13-01", "2023-02-29", "6 months ago", "31.01.2024", "20240131", "", "0")
SHARDS = ("3/2", "2/2", "-1/2", "1", "a/b", "1/0")


def types_of(schema: Schema) -> set[str]:
    """Return the JSON types that a setting accepts; all if its schema has no type."""
    types = schema.get("type", list(OF_TYPE))
    found = {types} if isinstance(types, str) else set(types)
    return found | ({"integer"} if "number" in found else set())


def wrong_types(schema: Schema) -> Iterator[Any]:
    """Return a value of each JSON type that a setting does not accept."""
    accepted = types_of(schema)
    return (value for kind, value in OF_TYPE.items() if kind not in accepted)


def wrong_values(name: str, schema: Schema) -> Iterator[Any]:
    """Yield values of an accepted type that are not allowed."""
    if name.endswith("_date"):
        yield from DATES
    if name == "shard":
        yield from SHARDS
    if "minimum" in schema:
        yield from (schema["minimum"] - 1, -(10**400))
    if "maximum" in schema:
        yield from (schema["maximum"] + 1, 10**400)
    if "enum" in schema:
        yield "s3cret-valve"
    yield from _wrong_texts(schema)


def _wrong_texts(schema: Schema) -> Iterator[str]:
    if schema.get("minLength"):
        yield ""
    if schema.get("format") == "uri":
        yield from ("vendor.example", "http://vendor.example", "https://a:s3cret-valve@b", "//")
    if "pattern" in schema:
        texts = ("s3cret-valve\n", "s3cret\x00valve", "s3cret-välve", "s3cret:valve ")
        yield from (text for text in texts if not re.search(schema["pattern"], text))


def parts(schema: Schema) -> Iterator[tuple[str, Schema, Any]]:
    """Yield the settings inside a setting: the path, the schema, and a function to wrap a value."""
    if schema.get("items"):
        yield "[0]", schema["items"], lambda value: [value]
    for name, inner in schema.get("properties", {}).items():
        needed = {key: _valid(schema["properties"][key]) for key in schema.get("required", ())}
        yield f".{name}", inner, _member(name, needed)


def _member(name: str, needed: Mapping[str, Any]) -> Any:
    return lambda value: {**needed, name: value}


def _valid(schema: Schema) -> Any:
    return schema.get("default", OF_TYPE[next(iter(types_of(schema) - {"null"}))])


def wrong_settings(settings: Mapping[str, Schema]) -> Iterator[tuple[str, Any, str]]:
    """Yield each invalid value of each setting: the name, the value, how its message begins.

    Values inside lists and objects are covered at any depth.
    """
    for name, schema in settings.items():
        for place, value in _wrong(name, schema):
            yield name, value, f"{name}{place}"


def _wrong(name: str, schema: Schema) -> Iterator[tuple[str, Any]]:
    yield from (("", value) for value in (*wrong_types(schema), *wrong_values(name, schema)))
    for where, inner, wrap in parts(schema):
        for place, value in _wrong(where.strip("."), inner):
            yield f"{where}{place}", wrap(value)


def with_required(name: str, value: Any) -> Any:
    """Return a value with the parts that its setting requires, as far as it is an object."""
    if name != "batch_config" or not isinstance(value, dict):
        return value
    storage = value.get("storage", {})
    if isinstance(storage, dict):
        storage = {"root": "files", **storage}
    return {**value, "storage": storage}


def misspelled(name: str) -> str:
    """Return a name that is similar to a setting's."""
    return name[:-2] + name[-1:] + name[-2:-1] if name[-1] != name[-2] else name[:-1]
