"""Rules for the names, keys and descriptions in every tap's schemas."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk import typing as th

from tools.pages.schemas import kinds_of
from tools.workspace import EXAMPLE, ROOT, TAPS, package_of, tap_class

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from singer_sdk import Stream

SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
LONGEST_NAME = 62  # PostgreSQL truncates at 63
FILES = sorted(
    path.relative_to(ROOT)
    for tap in TAPS
    for path in (tap / package_of(tap) / "schemas").rglob("*.json")
    if "properties" in json.loads(path.read_text(encoding="utf-8"))
)


def streams_of(tap: Path) -> list[Stream]:
    """Return the streams of all variants of a tap, as ``--discover`` does without an account."""
    made = tap_class(tap)
    return [
        stream
        for config in made.variants().values()
        for stream in made(
            config=config, validate_config=False, setup_mapper=False
        ).streams.values()
    ]


def properties(schema: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield all properties of a schema, including those of nested objects and lists."""
    for name, definition in schema.get("properties", {}).items():
        yield f"{path}{name}", definition
        yield from properties(definition, f"{path}{name}.")
        if isinstance(definition.get("items"), dict):
            yield from properties(definition["items"], f"{path}{name}[].")


@pytest.mark.parametrize("tap", [*TAPS, EXAMPLE], ids=lambda tap: tap.name)
def test_names_are_valid_in_every_database(tap: Path) -> None:
    streams = streams_of(tap)
    assert_valid_names(sorted({stream.name for stream in streams}))
    for stream in streams:
        assert_valid_names(list(stream.schema["properties"]))


@pytest.mark.parametrize("tap", [*TAPS, EXAMPLE], ids=lambda tap: tap.name)
def test_keys_are_required_and_never_null(tap: Path) -> None:
    for stream in streams_of(tap):
        assert key_problems(stream.schema, stream.primary_keys) == [], stream.name


def test_key_may_be_declared_with_sdk_types() -> None:
    schema = th.PropertiesList(
        th.Property("id", th.IntegerType, required=True),
        th.Property("name", th.StringType),
        th.Property("share", th.NumberType, required=True),
    ).to_dict()
    assert key_problems(schema, ["id"]) == []
    assert key_problems(schema, ["name"]) == ["name is not required", "name can be null"]
    assert key_problems(schema, ["id", "share"]) == ["share is no string or integer"]
    assert key_problems(schema, ["other"]) == ["other is no property"]
    assert key_problems(schema, []) == ["no key"]


def key_problems(schema: Mapping[str, Any], keys: Sequence[str]) -> list[str]:
    """Return what is wrong with a stream's key."""
    return (
        [problem for key in keys for problem in _problems_of(schema, key)] if keys else ["no key"]
    )


def _problems_of(schema: Mapping[str, Any], key: str) -> Iterator[str]:
    if key not in schema["properties"]:
        yield f"{key} is no property"
        return
    kinds = set(kinds_of(schema["properties"][key]))
    if key not in schema.get("required", ()):
        yield f"{key} is not required"
    if "null" in kinds:
        yield f"{key} can be null"
    if len(kinds - {"null"}) != 1 or not kinds <= {"string", "integer", "null"}:
        yield f"{key} is no string or integer"


@pytest.mark.parametrize("tap", [*TAPS, EXAMPLE], ids=lambda tap: tap.name)
def test_every_property_is_typed_and_described(tap: Path) -> None:
    for stream in streams_of(tap):
        assert_described(stream.name, stream.schema)


@pytest.mark.parametrize("file", FILES, ids=str)
def test_every_schema_file_is_described(file: Path) -> None:
    schema = json.loads((ROOT / file).read_text(encoding="utf-8"))
    assert schema["title"]
    assert_described(file.stem, schema)


def assert_described(name: str, schema: Mapping[str, Any]) -> None:
    for path, definition in properties(schema):
        where = f"{name}.{path}"
        description = definition.get("description", "")
        assert description, where
        assert description.rstrip("`)")[-1] == ".", where
        assert definition.get("type"), where


def assert_valid_names(names: list[str]) -> None:
    assert [name for name in names if not SNAKE_CASE.fullmatch(name)] == []
    assert [name for name in names if len(name) > LONGEST_NAME] == []
    assert len({name.lower() for name in names}) == len(names)
