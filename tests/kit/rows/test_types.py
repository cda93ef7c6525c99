"""The compiled types of rows, and the properties inside values that are not written."""

from __future__ import annotations

from typing import Any

import pytest
from tap_kit.rows.types import has_closed_objects, unknown_paths

from tests.kit.canned import ID, TEXT, Table, run_of, tap_of

TAG = {"type": "object", "properties": {"name": TEXT}}
TAGS = {"type": ["array", "null"], "items": TAG}
SITE = {"type": "object", "properties": {"tags": TAGS, "name": TEXT}}


@pytest.mark.parametrize("value", [None, True, 5, "a", [1, "b"], {"c": [None]}], ids=repr)
def test_field_without_a_type_accepts_any_value(value: object) -> None:
    done = run_of(tap_of(Table({"id": ID, "any": {}}, [{"id": 1, "any": value}]))(config={}))
    assert done.error == ""
    assert done.records == [{"id": 1, "any": value}]


@pytest.mark.parametrize(
    ("value", "definition", "paths"),
    [
        ({"name": "a", "new": 1}, TAG, ["x.new"]),
        ([{"name": "a"}, {"new": 1}, {"newer": 2}], TAGS, ["x.new", "x.newer"]),
        ({"tags": [{"new": 1}], "other": 2}, SITE, ["x.tags.new", "x.other"]),
        (None, TAGS, []),
        ([{"a": 1}], {"type": "array"}, []),
        ({"a": 1}, {"type": "object"}, []),
        ({"a": 1}, {**TAG, "additionalProperties": True}, []),
        ("text", TAG, []),
    ],
)
def test_unknown_paths_are_those_of_properties_that_are_not_written(
    value: Any, definition: dict[str, Any], paths: list[str]
) -> None:
    assert list(unknown_paths(value, definition, "x")) == paths


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (TAG, True),
        (TAGS, True),
        ({"type": "array", "items": TEXT}, False),
        ({"type": "array"}, False),
        ({"type": "object"}, False),
        (TEXT, False),
    ],
)
def test_only_objects_with_listed_properties_are_closed(
    definition: dict[str, Any], expected: object
) -> None:
    assert has_closed_objects(definition) is expected
