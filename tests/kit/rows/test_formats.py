"""Every record passes its schema: dates, date-times and integers that targets can convert."""

from __future__ import annotations

import json
import logging
import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_kit.rows import formats
from tap_kit.rows.formats import FormatCheck, has_leaves, leaf_of

from tests.kit.canned import ID, TEXT, WHOLE, Run, Table, decode_from_bytes, run_of, tap_of

if TYPE_CHECKING:
    from collections.abc import Sequence

DAY = {"type": ["string", "null"], "format": "date"}
MOMENT = {"type": ["string", "null"], "format": "date-time"}
MIXED = {"type": ["string", "integer", "null"], "format": "date"}
NESTED = {
    "type": ["object", "null"],
    "properties": {
        "at": MOMENT,
        "count": WHOLE,
        "days": {"type": ["array", "null"], "items": DAY},
        "deep": {"type": ["object", "null"], "properties": {"day": DAY}},
    },
}
OPEN = {**NESTED, "additionalProperties": True}
DAYS_THAT_ARE_NONE = [
    "0000-00-00",
    "",
    "10000-01-01",
    "2024-13-01",
    "2023-02-29",
    "today",
    "2024-1-1",
]
MOMENTS_THAT_ARE_NONE = [
    *("0000-00-00 00:00:00", "0000-01-01T00:00:00Z", "", "2024-13-01T00:00:00Z", "yesterday"),
    *(
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:00:60Z",
        "10000-01-01T00:00:00Z",
        "2024-02-30T00:00:00",
        "2024-01-01T00:00:00",  # RFC 3339 requires an offset
        "2024-01-01 00:00:00",
    ),
]
MENDED = {
    "2024-01-01 00:00:00Z": "2024-01-01T00:00:00Z",
    "2024-01-01T00:00:00+0530": "2024-01-01T00:00:00+05:30",
    "2024-01-01 00:00:00.5-0800": "2024-01-01T00:00:00.5-08:00",
    "2024-01-01 00:00:00-08:00": "2024-01-01T00:00:00-08:00",
}
MOMENTS = [
    *(
        "2024-02-29T23:59:59Z",
        "2024-01-01t00:00:00z",
        "9999-12-31T23:59:59Z",
    ),
    *("2024-01-01T00:00:00.1234567+05:30", "0001-01-01T00:00:00-00:00"),
]


def read(definition: dict[str, Any], *values: Any, **options: Any) -> Run:
    """Return the run of a table with an id and a value."""
    rows = [{"id": number, "value": value} for number, value in enumerate(values)]
    return run_of(tap_of(Table({"id": ID, "value": definition}, rows, **options))(config={}))


def values_of(done: Run) -> list[Any]:
    assert done.error == ""
    return [record["value"] for record in done.records]


@pytest.fixture(params=["dicts", "bytes"])
def any_path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows come as dicts, or are decoded from bytes."""
    if request.param == "bytes":
        decode_from_bytes(monkeypatch)


@pytest.mark.usefixtures("any_path")
@pytest.mark.parametrize(
    ("definition", "bad", "good", "expected"),
    [
        (DAY, DAYS_THAT_ARE_NONE, ["0001-01-01", "2024-02-29", "9999-12-31"], "a valid date"),
        (MOMENT, MOMENTS_THAT_ARE_NONE, MOMENTS, "a valid date-time"),
        (WHOLE, [2**63, -(2**63) - 1, 10**30], [2**63 - 1, -(2**63), 0], "an integer of 64 bits"),
        (MIXED, ["x", 2**63], ["2024-01-01", 5], "a valid date"),
    ],
    ids=["date", "date-time", "integer", "both"],
)
def test_a_value_that_does_not_fit_is_null_with_one_counted_warning(
    definition: dict[str, Any],
    bad: Sequence[Any],
    good: Sequence[Any],
    expected: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert values_of(read(definition, *good, None, *bad)) == [*good, None, *[None] * len(bad)]
    texts = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert texts == [
        f"figures: field value: a value is not {expected}; written as null",
        f"figures: field value: {len(bad) - 1} more values are not {expected}; written as null",
    ]


@pytest.mark.usefixtures("any_path")
def test_valid_values_keep_their_spelling(caplog: pytest.LogCaptureFixture) -> None:
    assert values_of(read(MOMENT, *MOMENTS, None)) == [*MOMENTS, None]
    assert not [r for r in caplog.records if r.levelno == logging.WARNING]


@pytest.mark.usefixtures("any_path")
def test_spellings_of_a_clear_moment_are_those_of_rfc_3339(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert values_of(read(MOMENT, *MOMENTS, *MENDED)) == [*MOMENTS, *MENDED.values()]
    inside = [{"at": value} for value in MENDED]
    assert values_of(read(NESTED, *inside)) == [{"at": value} for value in MENDED.values()]
    assert not [r for r in caplog.records if r.levelno == logging.WARNING]


@pytest.mark.usefixtures("any_path")
def test_a_field_that_some_rows_do_not_have_is_left_out() -> None:
    rows = [{"id": 1}, {"id": 2, "value": "2024-01-01"}, {"id": 3, "value": "x"}, {"id": 4}]
    done = run_of(tap_of(Table({"id": ID, "value": DAY}, rows))(config={}))
    assert done.records == [{"id": 1}, rows[1], {"id": 3, "value": None}, {"id": 4}]


@pytest.mark.usefixtures("any_path")
@pytest.mark.parametrize("definition", [NESTED, OPEN], ids=["closed", "open"])
def test_values_inside_of_objects_and_lists_are_checked(
    definition: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    good = {"at": MOMENTS[0], "count": 1, "days": ["2024-01-01", None], "deep": {"day": None}}
    bad = {"at": "", "count": 2**63, "days": ["2024-01-01", "x"], "deep": {"day": "0000-00-00"}}
    done = read(definition, good, bad, {}, None)
    assert values_of(done) == [
        good,
        {"at": None, "count": None, "days": ["2024-01-01", None], "deep": {"day": None}},
        {},
        None,
    ]
    for field in ("value.at", "value.count", "value.days", "value.deep.day"):
        assert f"figures: field {field}: a value is not" in caplog.text


@pytest.mark.usefixtures("any_path")
@pytest.mark.parametrize(
    ("definition", "options"),
    [
        ({"type": "string", "format": "date"}, {}),
        (DAY, {"keys": ("id", "value")}),
    ],
    ids=["not nullable", "key"],
)
def test_a_value_that_cannot_be_null_stops_the_run(
    definition: dict[str, Any], options: dict[str, Any]
) -> None:
    done = read(definition, "2024-01-01", "0000-00-00", **options)
    assert done.error == "figures: field value: expected a valid date, and it cannot be null"


@pytest.mark.usefixtures("any_path")
def test_a_schema_can_declare_wider_integers() -> None:
    wide = {**WHOLE, "minimum": -(10**30), "maximum": 10**30}
    assert values_of(read(wide, 10**30, -(10**30), 10**31)) == [10**30, -(10**30), None]


RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


@given(
    st.text(max_size=30)
    | st.dates().map(str)
    | st.datetimes(timezones=st.none() | st.timezones()).map(str)
    | st.sampled_from([*MOMENTS, *MOMENTS_THAT_ARE_NONE, *MENDED])
)
def test_what_is_accepted_or_mended_is_in_the_spelling_of_rfc_3339(text: str) -> None:
    leaf = leaf_of(MOMENT)
    assert leaf is not None
    for value in (text, leaf.mended(text)):
        assert not leaf.accepts(value) or RFC_3339.fullmatch(value)


PARTS_OF_MOMENTS = [
    ["2024-02-29", "2023-02-29"],
    ["T", "t", " "],
    ["23:59:59", "24:00:00"],
    ["", ".1", ".123", ".12345678"],
    ["Z", "z", "+05:30", "-0530", ""],
]
SPELLED = st.tuples(*map(st.sampled_from, PARTS_OF_MOMENTS)).map("".join)


@given(st.lists(SPELLED, max_size=2) | st.lists(st.sampled_from(MOMENTS) | SPELLED, max_size=8))
def test_values_of_several_rows_are_judged_as_each_alone(values: list[str]) -> None:
    together, alone = checked(values), [checked([value])[0] for value in values]
    assert together == alone
    assert all(value is None or RFC_3339.fullmatch(value) for value in together)


def checked(values: list[str]) -> list[str | None]:
    rows = [Moment(value) for value in values]
    check = FormatCheck("figures", logging.getLogger(), {"value": MOMENT}, {"value": "value"}, ())
    check.check(rows, None)
    return [row.value for row in rows]


class Moment(msgspec.Struct):
    """A row with a date-time."""

    value: str | None


@given(st.text(max_size=30) | st.dates().map(str) | st.datetimes().map(str))
def test_what_is_accepted_can_be_parsed(text: str) -> None:
    for definition, parse in ((DAY, date.fromisoformat), (MOMENT, _moment)):
        leaf = leaf_of(definition)
        assert leaf is not None
        if leaf.accepts(text):
            assert 1 <= parse(text).year <= 9999


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.upper().replace("Z", "+00:00"))


@pytest.mark.parametrize(
    ("definition", "is_checked"),
    [
        (DAY, True),
        (WHOLE, True),
        ({"type": "integer"}, True),
        ({"type": ["number", "integer"]}, False),
        (TEXT, False),
        ({"type": ["integer", "null"], "format": "date"}, True),
        ({"type": "number", "format": "date"}, False),
        ({"type": "string", "format": "uuid"}, False),
        ({}, False),
    ],
    ids=json.dumps,
)
def test_formats_and_integers_are_checked(definition: dict[str, Any], is_checked: object) -> None:
    assert (leaf_of(definition) is not None) is is_checked
    assert has_leaves({"items": definition}) is is_checked
    assert has_leaves({"properties": {"a": {}, "b": {"items": definition}}}) is is_checked
    assert has_leaves(definition) is False


def test_a_value_of_another_type_is_left_to_the_type_of_the_row() -> None:
    leaf = leaf_of({"type": ["integer", "string"]})
    assert leaf is not None
    assert leaf.accepts("x")
    assert leaf.accepts(None)


@pytest.mark.parametrize(
    ("first", "second", "are_alike"),
    [
        ("2024-02-29T10:00:00Z", "2024-02-29T11:00:00Z", True),
        ("2024-02-29T10:00:00.5+01:00", "2024-02-29T11:00:00.5-03:30", True),
        ("2024-02-29T10:00:00Z", "2024-02-29 11:00:00Z", False),
        ("2024-02-29T10:00:00Z", "2024-02-29T11:00:00.5Z", False),
    ],
)
def test_date_times_of_one_length_are_checked_together(
    first: str,
    second: str,
    are_alike: bool,  # noqa: FBT001
) -> None:
    """A check of each alone would have the same result, and take longer."""
    assert formats._are_alike(first + second, 2) == are_alike  # noqa: SLF001
