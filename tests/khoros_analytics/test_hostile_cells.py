"""Texts that look like values and are none, in columns with types: no wrong value, no lost text."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tap_khoros_analytics.exports.types import (
    BOOLEAN,
    DURATION,
    INTEGER,
    MIN_SAMPLE,
    MOMENT,
    NUMBER,
    TEXT,
    TYPES,
    Zone,
    converter,
    learned_type,
)

if TYPE_CHECKING:
    from collections.abc import Callable

ZONES = [
    Zone(ZoneInfo(name), day_first=order)
    for name in ("UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Kiritimati")
    for order in (None, True, False)
]
BERLIN = Zone(ZoneInfo("Europe/Berlin"), day_first=None)
HOSTILE = (
    *("1e400", "1e5", "-1e-400", "9223372036854775807", "9223372036854775808", "9" * 5_000),
    *("-9223372036854775808", "-9223372036854775809", "0012", "-07", "00", "-0", "+1", "--1"),
    *("NaN", "nan", "Infinity", "-Infinity", "null", "None", "nul", "true,false", "TRUE", "yes"),
    *(
        "1,234",
        "1.234,5",
        "1 234",
        "1_000",
        "1.",
        ".5",
        "0.1",
        "1.50",
        "0x10",
        "٣",
        "\uff11\uff12",
        "²",
        "½",
    ),
    *(
        "5 ",
        " 5",
        "5\n",
        "\u00a05",
        "\x00",
        "\ud800",
        "[1]",
        "1]",
        "[",
        '"1"',
        "1,",
        ",",
        ",,",
        "-",
    ),
    *("1:02:03", "-1:02:03", "-5", "01:02", "1:60:00", "99999999:00:00", "٣:00:00", "24:00:00"),
    *("2024-03-31 02:30:00", "2024-10-27 02:30:00", "2024-02-30 10:00:00", "2024-01-31"),
    *("2024-01-31x10:00:00", "2024-01-31t10:00:00", "2024-01-31 24:00:00", "2024-01-31 23:59:60"),
    *("2024-01-31 10:00:00Z", "2024-01-31 10:00:00 +15:00", "2024-01-31 10:00:00-12:30"),
    *("0001-01-01 00:00:00", "9999-12-31 23:59:59", "0000-00-00 00:00:00", "1800-01-01 00:00:00"),
    *("9999-12-31 23:59:59-12:00", "0001-01-01 00:00:00+14:00", "2024-01-31 10:00:00.001001"),
    *("2024-01-31 10:00:00.1234567", "31/01/2024 10:00", "01/31/2024 10:00", "31.01.2024 10:00"),
    *("20240131T10:00:0000", "2024-W05-3 10:00:00", "٢٠٢٤-01-31 10:00:00", "1706697600000"),
)
DIGITS = st.from_regex(r"[-+]?[0-9]{0,20}([.,:][0-9]{0,7}){0,3}(e[0-9]{1,3})?", fullmatch=True)
DATES = st.from_regex(
    r"[0-9]{4}-[01][0-9]-[0-3][0-9][ T][0-2][0-9]:[0-6][0-9](:[0-6][0-9](\.[0-9]{1,6})?)?"
    r"(Z| ?[+-][01][0-9]:?[0-6][0-9])?",
    fullmatch=True,
)
CELLS = st.sampled_from(HOSTILE) | DIGITS | DATES | st.text(max_size=8)
BATCHES = st.lists(st.none() | st.just("") | CELLS, max_size=5)
FAST = settings(max_examples=60, deadline=None)


def is_integer(value: Any, text: str) -> bool:
    is_same = str(value) == text or text == "-0"
    return type(value) is int and -(1 << 63) <= value < 1 << 63 and is_same


def is_number(value: Any, text: str) -> bool:
    return type(value) is float and Decimal(repr(value)) == Decimal(text) and text.isascii()


def is_boolean(value: Any, text: str) -> bool:
    return type(value) is bool and str(value).lower() == text.lower()


def is_duration(value: Any, text: str) -> bool:
    hours, minutes, seconds = text.split(":")
    rest = value - int(hours) * 3600
    return type(value) is int and (minutes, seconds) == (f"{rest // 60:02}", f"{rest % 60:02}")


def is_moment(value: Any, text: str) -> bool:
    """Return whether a value is a time that every warehouse stores, with the digits of a text."""
    moment = datetime.fromisoformat(value)
    offset = moment.utcoffset()
    assert offset is not None
    assert timedelta(hours=-12) <= offset <= timedelta(hours=14)
    assert moment.astimezone(timezone.utc).year >= 1
    assert moment.isoformat() == value
    wall = moment.replace(tzinfo=None).isoformat(sep=" ")
    is_local = text[:10].count("-") < 2  # such as 31.01.2024
    length = 19 if text[16:17] == ":" else 16
    return is_local or wall.startswith(text[:length].replace("T", " "))


IS_RIGHT: dict[str, Callable[[Any, str], bool]] = {
    INTEGER: is_integer,
    NUMBER: is_number,
    BOOLEAN: is_boolean,
    DURATION: is_duration,
    MOMENT: is_moment,
}


@FAST
@given(st.sampled_from(TYPES[1:]), st.sampled_from(ZONES), BATCHES)
def test_a_cell_has_its_value_or_its_text(kind: str, zone: Zone, cells: list[str | None]) -> None:
    values, misfits = converter(kind, zone)(cells)
    json.dumps(values, allow_nan=False)
    for place, cell in enumerate(cells):
        value, misfit = values[place], misfits[place] if misfits else None
        if not cell:
            assert (value, misfit) == (None, None)
        elif value is None:
            assert misfit == cell
        else:
            assert misfit is None
            assert IS_RIGHT[kind](value, cell)


@FAST
@given(st.sampled_from(TYPES[1:]), st.sampled_from(ZONES), BATCHES)
@example(MOMENT, BERLIN, ["2024-01-31t10:00:00"])
def test_a_value_does_not_depend_on_the_other_rows(
    kind: str, zone: Zone, cells: list[str | None]
) -> None:
    """A batch is converted at a time where it can be, and one by one where a text does not fit."""
    together, _ = converter(kind, zone)(cells)
    beside_a_misfit, _ = converter(kind, zone)([*cells, "no value"])
    alone = [converter(kind, zone)([cell]).values[0] for cell in cells]
    assert list(together) == list(beside_a_misfit)[:-1] == alone


@pytest.mark.parametrize("kind", TYPES[1:])
def test_every_hostile_text_has_its_value_or_is_kept(kind: str) -> None:
    for zone in ZONES:
        values, misfits = converter(kind, zone)(HOSTILE)
        for value, misfit, text in zip(values, misfits, HOSTILE, strict=True):
            assert misfit == text if value is None else IS_RIGHT[kind](value, text)


@FAST
@given(st.lists(CELLS, min_size=1, max_size=3), st.sampled_from(ZONES))
def test_a_learned_type_fits_the_whole_sample(cells: list[str], zone: Zone) -> None:
    kind = learned_type("field", cells * MIN_SAMPLE, zone)
    assert kind == TEXT or not any(converter(kind, zone)(cells).misfits)


@given(st.integers(0, 29), st.sampled_from(["0012", "1e400", "NaN", "1,234", "٣", "+49", " 5"]))
def test_one_text_in_a_sample_of_numbers_keeps_the_column_a_text(place: int, text: str) -> None:
    sample = [str(number) for number in range(100, 129)]
    assert learned_type("field", sample, BERLIN) == INTEGER
    assert learned_type("field", [*sample[:place], text, *sample[place:]], BERLIN) == TEXT


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2024-03-31 01:59:59", "2024-03-31T01:59:59+01:00"),
        ("2024-03-31 02:30:00", "2024-03-31T02:30:00+01:00"),  # this hour does not exist
        ("2024-03-31 03:00:00", "2024-03-31T03:00:00+02:00"),
        ("2024-10-27 02:30:00", "2024-10-27T02:30:00+02:00"),  # this one exists twice
        ("2024-10-27 03:00:00", "2024-10-27T03:00:00+01:00"),
        ("9999-12-31 23:59:59", "9999-12-31T23:59:59+01:00"),
        ("2024-01-31 10:00:00.001001", "2024-01-31T10:00:00.001001+01:00"),
        ("2024-01-31 10:00:00+14:00", "2024-01-31T10:00:00+14:00"),
        ("2024-01-31 10:00:00+14:01", None),
        ("2024-01-31 10:00:00-12:01", None),
        ("9999-12-31 23:59:59-12:00", None),  # the year 10000 in UTC
        ("0001-01-01 00:00:00+01:00", None),
        ("0001-01-01 00:00:00", None),  # the offset of that time has seconds
        ("2024-01-31t10:00:00", None),
    ],
)
def test_times_that_are_special(text: str, value: str | None) -> None:
    assert converter(MOMENT, BERLIN)([text]).values == [value]
    assert converter(MOMENT, BERLIN)([text, "no time"]).values == [value, None]
