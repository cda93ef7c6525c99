"""The message for each rule of a JSON schema that a setting can break."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tap_kit.run.problems import setting_problems


def problem_of(definition: dict[str, Any], value: object) -> str:
    """Return the problem of a value, without the name of the setting."""
    (line,) = setting_problems({"x": value}, {"type": "object", "properties": {"x": definition}})
    name, _, problem = line.partition(" ")
    assert name == "x"
    return problem


@pytest.mark.parametrize(
    ("definition", "value", "problem"),
    [
        ({"minimum": 3}, 2, "must be at least 3"),
        ({"maximum": 3}, 4, "must be at most 3"),
        ({"minLength": 1}, "", "must not be empty"),
        ({"minItems": 1}, [], "must not be empty"),
        ({"enum": ["a", "b"]}, "c", "must be one of a, b"),
        ({"pattern": "^a"}, "b", "contains characters that are not allowed"),
        ({"uniqueItems": True}, [1, 1], "must not contain duplicates"),
        ({"multipleOf": 5}, 7, "is not valid (multipleOf)"),
    ],
)
def test_each_rule_of_a_schema_has_a_message(
    definition: dict[str, Any], value: object, problem: str
) -> None:
    assert problem_of(definition, value) == problem


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("5", "a string"),
        (5, "a number"),
        (5.5, "a decimal number"),
        (Decimal("5.5"), "a decimal number"),
        (True, "true or false"),
        ({}, "an object"),
        (None, "null"),
        (b"5", "something else"),
    ],
    ids=repr,
)
def test_value_of_another_type_is_named_by_its_type(value: object, word: str) -> None:
    assert problem_of({"type": "array"}, value) == f"must be a list, not {word}"


def test_expected_types_are_named_without_null() -> None:
    definition = {"type": ["string", "null", "array"]}
    assert problem_of(definition, 5) == "must be a string or a list, not a number"


HALF = "half of a character: \ud83d"


@pytest.mark.parametrize(
    "value",
    [HALF, [HALF], ["fine", HALF], {"name": HALF}, {HALF: "name"}, {"a": [{"b": HALF}]}],
    ids=lambda value: type(value).__name__,
)
def test_invalid_unicode_is_reported_at_any_depth(value: object) -> None:
    assert list(setting_problems({"x": value}, {"properties": {"x": {}}})) == [
        "x must be valid Unicode"
    ]


@pytest.mark.parametrize(
    "value", ["line\nfeed", "中é😀", "\u202e", ["a", 1, None, True], {"a": {"b": 1.5}}], ids=repr
)
def test_other_text_is_valid(value: object) -> None:
    assert list(setting_problems({"x": value}, {"properties": {"x": {}}})) == []


def test_invalid_unicode_ends_the_checks_of_a_setting() -> None:
    schema = {"properties": {"start_date": {}, "x": {"type": "integer"}}}
    assert list(setting_problems({"start_date": HALF, "x": HALF}, schema)) == [
        "x must be a whole number, not a string",
        "start_date must be valid Unicode",
        "x must be valid Unicode",
    ]


def test_only_missing_settings_are_reported_as_required() -> None:
    part = {"properties": {"a": {}, "b": {}}, "required": ["a", "b"]}
    schema = {"properties": {"x": {}, "y": {}, "z": part}, "required": ["x", "y", "z"]}
    assert sorted(setting_problems({"y": 1, "z": {"b": 2}}, schema)) == [
        "x is required",
        "z.a is required",
    ]
