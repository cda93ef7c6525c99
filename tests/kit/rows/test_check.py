"""Decode rows from the bytes of a response, check them, and report unknown fields."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import msgspec
import pytest
import tap_kit.rows.check
from hypothesis import given
from hypothesis import strategies as st
from tap_kit.errors import Retriable, SyncFailed
from tap_kit.net.bodies import parse_json
from tap_kit.rows.check import ResponseFields, RowDecoder, has_any_of, set_fields, values_of
from tap_kit.rows.chunks import as_record
from tap_kit.rows.types import attributes_of

from tests.kit.canned import ID, NUMBER, TEXT, WHOLE, Table, WholeTable, deselect, tap_of

if TYPE_CHECKING:
    from collections.abc import Collection

PROPERTIES = {"id": ID, "name": TEXT, "visitors": WHOLE, "share": NUMBER, "odd-name": TEXT}
T = TypeVar("T")


class Envelope(msgspec.Struct, Generic[T]):
    """A response with rows inside."""

    data: list[T]
    total: int = 0


ENVELOPE: Any = Envelope  # its parameter is made at runtime


def stream_of(
    properties: dict[str, Any] = PROPERTIES, *deselected: str, **members: Any
) -> WholeTable:
    """Return a stream of a new tap, without rows."""
    required = members.pop("required", ())
    tap = tap_of(Table(properties, [], required=required))
    catalog = deselect(tap(config={}).catalog_dict, *((field,) for field in deselected))
    stream = tap(config={}, catalog=catalog).streams["figures"]
    assert isinstance(stream, WholeTable)
    for name, value in members.items():
        setattr(type(stream), name, value)
    return stream


def written(stream: WholeTable, rows: list[Any]) -> list[dict[str, Any]]:
    """Return decoded rows as they are written."""
    return [as_record(row) for row in stream.row_check.rows(rows)]


def decoded(stream: WholeTable, *records: dict[str, Any]) -> list[Any]:
    rows: list[Any] = RowDecoder(stream.row_check)(json.dumps(records).encode(), "GET /figures")
    return rows


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The bodies that were decoded leniently, which is slow."""
    bodies = []

    def recording(body: bytes, source: str) -> Any:
        bodies.append(body)
        return parse_json(body, source)

    monkeypatch.setattr(tap_kit.rows.check, "parse_json", recording)
    return bodies


def test_known_fields_are_decoded_by_the_strict_type(lenient: list[bytes]) -> None:
    stream, record = stream_of(), {"id": 1, "name": None, "visitors": 2, "odd-name": "x"}
    assert written(stream, decoded(stream, record, {"id": 2})) == [record, {"id": 2}]
    assert lenient == []


def test_unknown_field_is_logged_once_and_costs_one_lenient_decoding(
    lenient: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    stream = stream_of()
    decode = RowDecoder(stream.row_check)
    body = json.dumps([{"id": 1, "new": {"a": [1]}, "odd new": 1}]).encode()
    for _ in range(3):
        assert written(stream, decode(body, "GET /figures")) == [{"id": 1}]
    assert lenient == [body]
    assert [r.message for r in caplog.records if r.levelname == "WARNING"] == [
        "figures: ignoring fields that are not in the catalog: 'new', 'odd new'"
    ]


def test_each_unknown_field_is_logged_when_it_occurs(caplog: pytest.LogCaptureFixture) -> None:
    stream = stream_of()
    for name in ("a", "b", "a"):
        assert written(stream, decoded(stream, {"id": 1}, {"id": 2, name: 0}))[1] == {"id": 2}
    logged = [r.getMessage() for r in caplog.records if "not in the catalog" in r.getMessage()]
    assert ["'a'" in logged[0], "'b'" in logged[1], len(logged)] == [True, True, 2]


def test_fields_whose_names_no_type_can_have_are_ignored(lenient: list[bytes]) -> None:
    stream = stream_of()
    for _ in range(2):
        assert written(stream, decoded(stream, {"id": 1, 'a"quote': 1})) == [{"id": 1}]
    assert len(lenient) == 2


def test_values_used_as_names_do_not_grow_the_strict_type(lenient: list[bytes]) -> None:
    stream = stream_of()
    for i in range(40):
        rows = decoded(stream, {"id": i, **{f"visitor_{i}_{n}": n for n in range(10)}})
        assert written(stream, rows) == [{"id": i}]
    assert len(lenient) == 40
    kind = stream.row_check.strict_type
    assert kind is None


def test_deselected_fields_are_not_decoded(lenient: list[bytes]) -> None:
    stream = stream_of(PROPERTIES, "visitors", "name")
    rows = decoded(stream, {"id": 1, "visitors": "of another type", "name": "a", "share": 1})
    assert written(stream, rows) == [{"id": 1, "share": 1}]
    assert lenient == []


@pytest.mark.parametrize("new", [{}, {"new": 1}], ids=["known", "with a new field"])
def test_deselected_input_fields_are_decoded_and_not_written(
    new: dict[str, Any],
) -> None:
    stream = stream_of(
        PROPERTIES, "name", response_fields=ResponseFields(inputs=("name", "visitors"))
    )
    rows = decoded(stream, {"id": 1, "name": "a", **new}, {"id": 2, **new})
    assert [values_of(row, ("name", "visitors", "id")) for row in rows] == [
        ["a", None, 1],
        [None, None, 2],
    ]
    assert written(stream, rows) == [{"id": 1}, {"id": 2}]


@pytest.mark.parametrize("new", [{}, {"new": 1}], ids=["known", "with a new field"])
def test_computed_fields_are_set_whatever_the_response_has(new: dict[str, Any]) -> None:
    properties = {"id": ID, "name": TEXT, "site": ID, "day": ID}
    stream = stream_of(
        properties,
        "day",
        response_fields=ResponseFields(computed=("site", "day")),
        required=("id", "site"),
    )
    rows = decoded(stream, {"id": 1, "site": 7, **new}, {"id": 2, **new})
    set_fields(rows, {"site": 3, "day": 4})
    assert written(stream, rows) == [{"id": 1, "site": 3}, {"id": 2, "site": 3}]


OTHER = ResponseFields(
    raw_types={"visitors": {"type": ["integer", "string", "null"]}, "contact": {"type": "object"}},
    ignored=("links",),
)


@pytest.mark.parametrize("new", [{}, {"new": 1}], ids=["known", "with a new field"])
def test_raw_fields_are_decoded_and_not_written(
    new: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    stream = stream_of(response_fields=OTHER)
    record = {"id": 1, "visitors": "5", "contact": {"name": "a"}, "links": [1], **new}
    (row,) = decoded(stream, record)
    row.name, row.visitors = row.contact["name"], int(row.visitors)
    assert written(stream, [row]) == [{"id": 1, "name": "a", "visitors": 5}]
    logged = [r.getMessage() for r in caplog.records if "not in the catalog" in r.getMessage()]
    assert len(logged) == len(new)


@pytest.mark.parametrize("as_dicts", [True, False])
def test_raw_values_that_were_not_converted_are_checked(as_dicts: bool) -> None:  # noqa: FBT001
    stream = stream_of(response_fields=OTHER)
    records: list[dict[str, Any]] = [{"id": 1}, {"id": 2, "visitors": "many"}]
    rows = records if as_dicts else decoded(stream, *records)
    with pytest.raises(SyncFailed, match="field visitors: expected int"):
        stream.row_check.rows(rows)


def test_raw_value_is_checked_in_every_row_that_has_it() -> None:
    stream = stream_of(response_fields=OTHER)
    rows = decoded(stream, {"id": 1}, {"id": 2, "visitors": 5}, {"id": 3, "visitors": None})
    assert written(stream, rows)[0] == {"id": 1}
    with pytest.raises(
        SyncFailed, match=r"^figures: field visitors: expected int \| null, got str$"
    ):
        stream.row_check.rows(decoded(stream, {"id": 1, "visitors": "many"}))


def test_rows_are_not_tracked_by_the_garbage_collector() -> None:
    """There are millions of rows, and none is part of a reference cycle."""
    stream = stream_of()
    rows = [*decoded(stream, {"id": 1, "odd-name": "x"}), *stream.row_check.to_rows([{"id": 2}])]
    assert [type(row).__struct_config__.gc for row in rows] == [False, False]


def test_fields_are_looked_up_in_their_type_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """One by one, a catalog of 20,000 fields would take half a minute."""
    calls = []

    def counted(kind: type[msgspec.Struct], fields: Collection[str]) -> dict[str, str]:
        calls.append(kind)
        return attributes_of(kind, fields)

    monkeypatch.setattr("tap_kit.rows.check.attributes_of", counted)
    counts = []
    for fields in (10, 400):
        calls.clear()
        assert decoded(stream_of({"id": ID, **{f"field_{n}": TEXT for n in range(fields)}}), {})
        counts.append(len(calls))
    assert counts[0] == counts[1]


def test_required_field_can_follow_optional_ones() -> None:
    stream = stream_of({"name": TEXT, "id": ID}, required=("id",))
    assert written(stream, decoded(stream, {"id": 1})) == [{"id": 1}]
    with pytest.raises(SyncFailed, match=r"^figures: a row: object missing required field id$"):
        decoded(stream, {"name": "a"})


def test_rows_inside_a_response_are_decoded() -> None:
    stream = stream_of()
    decode = RowDecoder(stream.row_check, lambda row: ENVELOPE[row] | list.__class_getitem__(row))
    response = decode(b'{"data": [{"id": 1}], "total": 5, "other": 0}', "GET /figures")
    assert (written(stream, response.data), response.total) == ([{"id": 1}], 5)
    response = decode(b'{"data": [{"id": 1, "new": 1}], "total": 5}', "GET /figures")
    assert (written(stream, response.data), response.total) == ([{"id": 1}], 5)
    assert written(stream, decode(b'[{"id": 1}]', "GET /figures")) == [{"id": 1}]


@pytest.mark.parametrize("value", [{}, {"data": {}}, {"data": None, "total": 1}, 5, None, "[]"])
def test_response_of_another_shape_is_returned_as_plain_values(value: object) -> None:
    decode = RowDecoder(stream_of().row_check, lambda row: ENVELOPE[row])
    assert decode(json.dumps(value).encode(), "GET /figures") == value


def test_list_of_other_values_is_returned_as_plain_values() -> None:
    check = stream_of().row_check
    decode = RowDecoder(check, is_row=lambda value: isinstance(value, dict) and "id" in value)
    for value in ([{"message": "later"}], [5], [{"id": 1}, "x"]):
        assert decode(json.dumps(value).encode(), "GET /figures") == value


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([{"id": 1}, {"id": 2, "visitors": "5"}], "field visitors: expected int | null, got str"),
        ([{"id": "a", "new": 1}], "field id: expected int, got str"),
        ([{"id": 1, "odd-name": 5}], "field odd-name: expected str | null, got int"),
        ([{"id": 1}, 5], "a row: expected object, got int"),
        ([None], "a row: expected object, got null"),
    ],
)
def test_wrong_type_is_reported_with_field_and_types(value: object, problem: str) -> None:
    decode = RowDecoder(stream_of().row_check)
    with pytest.raises(SyncFailed) as caught:
        decode(json.dumps(value).encode(), "GET /figures")
    assert str(caught.value) == f"figures: {problem}"


@pytest.mark.parametrize("body", [b"", b"<html>", b'[{"id": 1}', b"[{id: 1}]", b'[{"id": NaN}]'])
def test_body_that_is_not_json_is_retriable(body: bytes) -> None:
    with pytest.raises(Retriable, match="GET /figures: the response is not JSON"):
        RowDecoder(stream_of().row_check)(body, "GET /figures")


@pytest.mark.parametrize(
    "body",
    [b'[{"id": 1, "name": "a\\ud800"}]', b'[{"id": 1, "name": "a\xff"}]'],
    ids=["lone surrogate", "invalid UTF-8"],
)
def test_invalid_unicode_is_replaced(body: bytes) -> None:
    stream = stream_of()
    rows = RowDecoder(stream.row_check)(body, "GET /figures")
    assert written(stream, rows) == [{"id": 1, "name": "a\ufffd"}]


def test_has_any_of_says_whether_a_row_has_a_field() -> None:
    (row,) = decoded(stream_of(), {"id": 1, "name": None})
    assert has_any_of(row, ("visitors", "name")) is True, "even if it is null"
    assert has_any_of(row, ("visitors", "share")) is False
    assert has_any_of(row, ()) is False


INTEGERS = st.integers(-(2**63), 2**63 - 1)
VALUES = {
    "name": st.none() | st.text(st.characters(codec="utf-8")),
    "visitors": st.none() | INTEGERS,
    "share": st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    "odd-name": st.none() | st.text(max_size=3),
    "new": st.integers(),
}


class Fixed:
    """The stream of all examples of a test."""

    stream: ClassVar[WholeTable] = stream_of()


@given(st.lists(st.fixed_dictionaries({"id": INTEGERS}, optional=VALUES)))
def test_rows_equal_the_records_without_unknown_fields(records: list[dict[str, Any]]) -> None:
    expected = [{k: v for k, v in record.items() if k in PROPERTIES} for record in records]
    assert written(Fixed.stream, decoded(Fixed.stream, *records)) == expected
