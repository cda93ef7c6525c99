"""The types of columns, and the values that texts have in them."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_khoros_analytics.exports.columns import columns_of, schema_of, with_types
from tap_khoros_analytics.exports.definitions import EXPORTS
from tap_khoros_analytics.exports.spellings import Column
from tap_khoros_analytics.exports.types import (
    MIN_SAMPLE,
    TYPES,
    Zone,
    converter,
    learned_type,
    zone_of,
)

BERLIN = Zone(ZoneInfo("Europe/Berlin"), day_first=None)
NO_ZONE = Zone(None, day_first=None)
FITTING: list[tuple[str, str, Any]] = [
    *(("integer", text, int(text)) for text in ("0", "-7", "9223372036854775807")),
    *(("number", text, float(text)) for text in ("0", "-1.50", "123456789.012345", "12")),
    *(("boolean", "true", True), ("boolean", "False", False)),
    *(("duration", "0:00:00", 0), ("duration", "26:01:05", 93_665)),
    ("date-time", "2024-01-31 23:59:59", "2024-01-31T23:59:59+01:00"),
    ("date-time", "2024-07-01T10:00", "2024-07-01T10:00:00+02:00"),
    ("date-time", "2024-07-01 10:00:00.25", "2024-07-01T10:00:00.250000+02:00"),
    ("date-time", "2024-07-01T10:00:00Z", "2024-07-01T10:00:00+00:00"),
    ("date-time", "2024-07-01 10:00:00 -0330", "2024-07-01T10:00:00-03:30"),
    ("date-time", "1.7.2024 9:05:00", "2024-07-01T09:05:00+02:00"),
]
MISFITS = {
    "integer": [
        "1.0",
        "007",
        "1,000",
        "9223372036854775808",
        "one",
        "null",
        "1,2",
        "+1",
        "\ud800",
        " 5",
        "1e5",
    ],
    "number": [
        "1e5",
        "1.",
        "1234567890.123456",
        "NaN",
        "Infinity",
        "null",
        "5 ",
        "0x1",
        ".5",
        "1,5",
    ],
    "boolean": ["yes", "1", "null", "true,false"],
    "duration": ["1:2:3", "0:60:00", "12:30", "1h"],
    "date-time": [
        *("2024-02-30 10:00:00", "01/02/2024 10:00:00", "2024-01-31", "soon", "31.02.2024 10:00"),
        *("2024-01-31 25:00:00", "2024-01-31 10:00:00 +9999", "1800-01-01 00:00:00"),
    ],
}


@pytest.mark.parametrize(("kind", "text", "value"), FITTING)
def test_a_text_that_fits_has_a_value(kind: str, text: str, value: Any) -> None:
    for texts in ([text], [None, text, ""], [text, MISFITS[kind][0]]):
        values, misfits = converter(kind, BERLIN)(texts)
        assert values[texts.index(text)] == value
        assert type(values[texts.index(text)]) is type(value)
        assert {*misfits} <= {None, MISFITS[kind][0]}


@pytest.mark.parametrize(("kind", "text"), [(k, text) for k in MISFITS for text in MISFITS[k]])
def test_a_text_that_does_not_fit_is_null_and_returned(kind: str, text: str) -> None:
    assert converter(kind, BERLIN)([None, text, ""]) == ([None] * 3, [None, text, None])


@given(st.sampled_from(TYPES[1:]), st.lists(st.none() | st.text(max_size=12), max_size=6))
def test_no_text_is_lost(kind: str, texts: list[str | None]) -> None:
    values, misfits = converter(kind, BERLIN)(texts)
    assert len(values) == len(texts)
    for place, text in enumerate(texts):
        misfit = misfits[place] if misfits else None
        assert (values[place] is None) == (not text or misfit == text)


def test_times_are_in_the_zone_that_the_request_asks_for() -> None:
    config = {"timezone": "America/Chicago", "locale": "en_US"}
    text = "2/1/2024 10:00:00"
    assert converter("date-time", zone_of(EXPORTS["author"], config))([text]).values == [
        "2024-02-01T10:00:00-06:00"
    ]
    filters = {"author": {"filters": {"timezoneOffset": 19_800_000}}}
    zone = zone_of(EXPORTS["author"], {**config, "locale": "fr", "exports": filters})
    assert zone.zone == timezone(timedelta(hours=5.5))
    assert converter("date-time", zone)([text]).values == ["2024-01-02T10:00:00+05:30"]
    assert zone_of(EXPORTS["user"], config).zone is None
    assert zone_of(EXPORTS["author"], {**config, "timezone": "No/Zone"}).zone is None
    texts = ["2024-02-01 10:00:00", "2024-02-01 10:00:00Z"]
    assert converter("date-time", NO_ZONE)(texts) == (
        [None, "2024-02-01T10:00:00+00:00"],
        [texts[0], None],
    )


def test_offsets_are_kept_for_a_limited_number_of_minutes() -> None:
    with patch("tap_khoros_analytics.exports.types.MAX_OFFSETS", 1):
        for month, offset in (("02", "+01:00"), ("03", "+01:00"), ("07", "+02:00")) * 2:
            assert BERLIN.offset(f"2024-{month}-01 10:00") == offset


def of(text: str, other: str | None = None) -> list[str]:
    return [text] * MIN_SAMPLE + ([other] if other else [])


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (of("12"), "integer"),
        (of("12", "1.5"), "number"),
        (of("12", "007"), "text"),
        (of("true", "False"), "boolean"),
        (of("1:00:00"), "duration"),
        (of("2024-02-01 10:00:00", "2024-02-01"), "text"),
        (of("2024-02-01 10:00:00"), "date-time"),
        (of("12")[1:], "text"),
        ([*of("12")[1:], "", ""], "text"),
        (of("x"), "text"),
    ],
)
def test_a_type_is_learned_from_a_unanimous_sample(texts: list[str], kind: str) -> None:
    assert learned_type("field", texts, BERLIN) == kind


def test_ids_stay_texts() -> None:
    for field in ("id", "author_id", "work_queue_ids", "lsw_uuid"):
        assert learned_type(field, of("12"), BERLIN) == "text"
    assert learned_type("paid", of("12"), BERLIN) == "integer"


def test_a_schema_has_the_types_and_the_fields_beside_them() -> None:
    fields = [f"a_{kind.replace('-', '_')}" for kind in TYPES]
    columns = [Column(field, field.upper(), "A column.") for field in fields]
    typed = with_types(columns, dict(zip(fields, TYPES, strict=True)))
    assert [column.type for column in typed] == [*TYPES]
    schema = schema_of(typed, title="", key=["row_id"], has_report_type=False)
    assert [column.type for column in columns_of("author", schema)] == [*TYPES]
    properties = schema["properties"]
    assert properties["a_integer"]["type"] == ["integer", "null"]
    assert properties["a_duration"]["type"] == ["string", "null"]
    assert properties["a_duration_seconds"]["type"] == ["integer", "null"]
    assert properties["a_date_time"]["format"] == "date-time"
    assert properties["a_boolean_raw"]["type"] == ["string", "null"]
    properties["a_integer"]["type"] = "object"
    properties["a_date_time"].pop("format")
    assert {c.field: c.type for c in columns_of("author", schema)} == {
        **dict(zip(fields, TYPES, strict=True)),
        "a_integer": "text",
        "a_date_time": "text",
    }


def test_a_key_and_a_column_without_room_beside_it_stay_texts() -> None:
    fields = ["order", "order_raw", "x" * 60, "id"]
    columns = with_types([Column(f, f) for f in fields], dict.fromkeys(fields, "integer"))
    assert [column.type for column in columns] == ["text", "integer", "text", "integer"]
    schema = schema_of(columns, title="", key=["id"], has_report_type=False)
    assert schema["properties"]["id"]["type"] == "string"
    assert "id_raw" not in schema["properties"]
    found = {column.field: column.type for column in columns_of("author", schema)}
    assert found == {"order": "text", "order_raw": "integer", "x" * 60: "text", "id": "text"}
