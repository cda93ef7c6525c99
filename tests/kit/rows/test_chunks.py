"""Rows are checked, counted, and written as chunks or as single records."""

from __future__ import annotations

import contextlib
import io
import json
import logging
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import tap_kit.rows.chunks
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk.singerlib import (
    ActivateVersionMessage,
    Message,
    RecordMessage,
    SchemaMessage,
    StateMessage,
)
from singer_sdk.singerlib.encoding import SimpleSingerWriter
from singer_sdk.singerlib.json import serialize_json
from tap_kit.rows.chunks import (
    CHUNK_ROWS,
    Chunk,
    ChunkWriter,
    as_record,
    needs_single_records,
    record_lines,
)
from tap_kit.rows.types import row_type

from tests.kit.canned import ID, NUMBER, TEXT, WHOLE, Table, deselect, run_of, tap_of
from tests.processes import collected

if TYPE_CHECKING:
    from tap_kit.flow.tasks import Task

SECRET = "s3cret-value"  # noqa: S105  (not a real secret)
TRUTH = {"type": ["boolean", "null"]}
OBJECT = {
    "type": ["object", "null"],
    "properties": {"name": TEXT, "tags": {"type": "array", "items": WHOLE}},
}
DAYS = {"start_date": "2024-01-01", "end_date": "2024-01-03"}


def failure(definition: dict[str, Any], value: object, **more: Any) -> str:
    rows = [{"id": 1}, {"id": 2, "value": value}]
    table = Table({"id": ID, "value": definition}, rows, **more)
    done = run_of(tap_of(table)(config=DAYS))
    assert done.records == []
    return done.error


@pytest.mark.parametrize(
    ("definition", "value", "problem"),
    [
        (TEXT, 5, "field value: expected str | null, got int"),
        (TEXT, True, "field value: expected str | null, got bool"),
        (TEXT, [SECRET], "field value: expected str | null, got array"),
        (TEXT, {SECRET: 1}, "field value: expected str | null, got object"),
        (TEXT, 1.5, "field value: expected str | null, got float"),
        ({"type": "string"}, None, "field value: expected str, got null"),
        (WHOLE, SECRET, "field value: expected int | null, got str"),
        (WHOLE, "5", "field value: expected int | null, got str"),
        (WHOLE, 5.5, "field value: expected int | null, got float"),
        (WHOLE, False, "field value: expected int | null, got bool"),
        (NUMBER, "1.5", "field value: expected int | float | null, got str"),
        (NUMBER, True, "field value: expected int | float | null, got bool"),
        (TRUTH, 1, "field value: expected bool | null, got int"),
        (TRUTH, "true", "field value: expected bool | null, got str"),
        (OBJECT, SECRET, "field value: expected object | null, got str"),
        (OBJECT, [], "field value: expected object | null, got array"),
        (OBJECT, {"name": 5}, "field value.name: expected str | null, got int"),
        (OBJECT, {"tags": [1, SECRET]}, "field value.tags[1]: expected int | null, got str"),
        ({"type": "array", "items": TEXT}, [5], "field value[0]: expected str | null, got int"),
    ],
)
def test_wrong_type_is_reported_without_the_value(
    definition: dict[str, Any], value: object, problem: str
) -> None:
    assert failure(definition, value) == f"figures: {problem}"


def test_missing_required_field_is_reported() -> None:
    line = failure(TEXT, "x", required=("id", "value"))
    assert line == "figures: a row: object missing required field value"


@pytest.mark.parametrize("row", [None, 5, SECRET, [SECRET], True, 1.5])
def test_row_that_is_not_an_object_is_reported(row: object) -> None:
    done = run_of(tap_of(Table({"id": ID}, [{"id": 1}, row]))(config=DAYS))
    assert done.error.startswith("figures: a row: expected object, got ")
    assert SECRET not in done.error


@pytest.mark.parametrize("value", [7.0, -0.0])
def test_float_is_not_an_integer_even_if_it_is_whole(value: float) -> None:
    assert failure(WHOLE, value) == "figures: field value: expected int | null, got float"


SCALARS = st.none() | st.text('ab\n"\\\u2028é\x00', max_size=4) | st.integers() | st.booleans()


@given(rows=st.lists(st.dictionaries(st.sampled_from(["a", "b", "c"]), SCALARS), max_size=20))
def test_every_line_is_one_row_and_nothing_is_lost(rows: list[dict[str, Any]]) -> None:
    any_type = {"type": ["string", "integer", "boolean", "null"]}
    schema = {"properties": dict.fromkeys("abc", any_type)}
    kind = row_type("Row", schema, "abc")
    made = [msgspec.convert(row, kind) for row in rows]
    moment = datetime(2024, 1, 1, tzinfo=timezone.utc)
    message = RecordMessage(stream='a"b\n', record={}, version=7, time_extracted=moment)
    lines = record_lines(message, made).decode().split("\n")
    assert lines.pop() == ""
    assert [json.loads(line) for line in lines] == [
        {
            "type": "RECORD",
            "stream": 'a"b\n',
            "record": row,
            "version": 7,
            "time_extracted": "2024-01-01T00:00:00+00:00",
        }
        for row in rows
    ]
    assert [as_record(row) for row in made] == rows


def some_rows(count: int) -> Table:
    return Table({"id": ID, "name": TEXT}, [{"id": i, "name": "ü\n"} for i in range(count)])


def test_stdout_without_a_byte_buffer_gets_the_same_text() -> None:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        tap_of(some_rows(3))(config=DAYS).execute()
    messages = [json.loads(line) for line in out.getvalue().split("\n")[:-1]]
    assert [m["record"] for m in messages if m["type"] == "RECORD"] == [
        {"id": i, "name": "ü\n"} for i in range(3)
    ]
    assert [m["type"] for m in messages] == ["SCHEMA", "RECORD", "RECORD", "RECORD", "STATE"]


def test_chunks_and_other_messages_keep_their_order_in_a_buffered_stdout() -> None:
    done = run_of(tap_of(some_rows(2), Table({"id": ID}, [{"id": 9}], name="others"))(config=DAYS))
    kinds = [(message["type"], message.get("stream")) for message in done.messages]
    assert kinds[:5] == [
        ("SCHEMA", "figures"),
        ("RECORD", "figures"),
        ("RECORD", "figures"),
        ("STATE", None),
        ("SCHEMA", "others"),
    ] or kinds[:4] == [
        ("SCHEMA", "figures"),
        ("RECORD", "figures"),
        ("RECORD", "figures"),
        ("SCHEMA", "others"),
    ]


def test_chunk_can_belong_to_another_stream() -> None:
    row = row_type("Row", Table({"id": ID}, ()).schema, ["id"])(id=1)
    with collected() as written:
        for stream in (None, "others"):
            chunk = Chunk([row], stream)
            ChunkWriter().write_message(RecordMessage(stream="figures", record=chunk))
    found = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [(one["stream"], one["record"]) for one in found] == [
        ("figures", {"id": 1}),
        ("others", {"id": 1}),
    ]


def test_counter_counts_rows_not_chunks(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    tables = some_rows(CHUNK_ROWS + 3), Table({"id": ID}, [{"id": 9}], name="others")
    run_of(tap_of(*tables)(config=DAYS))
    points = [json.loads(m.split("METRIC: ")[1]) for m in caplog.messages if "METRIC: " in m]
    counts = {p["tags"]["stream"]: p["value"] for p in points if p["metric"] == "record_count"}
    assert counts == {"figures": CHUNK_ROWS + 3, "others": 1}


def test_record_limit_reads_no_more_than_it_needs() -> None:
    seen: list[Task] = []

    def read(task: Task) -> list[dict[str, Any]]:
        seen.append(task)
        return [{"id": i, "date": "2024-01-01"} for i in range(5)]

    table = Table({"id": ID, "date": TEXT}, read, replication_key="date")
    tap = tap_of(table)(config=DAYS)
    assert tap.run_connection_test()
    assert len(seen) == 1


def test_rows_of_a_chunk_are_encoded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    def messages_only(value: Any) -> str:
        assert "type" in value
        return serialize_json(value)

    monkeypatch.setattr(tap_kit.rows.chunks, "serialize_json", messages_only)
    rows = [{"id": n, "value": {"name": "a", "tags": [n]}, "note": "é"} for n in range(3)]
    table = Table({"id": ID, "value": OBJECT, "note": TEXT}, rows)
    assert run_of(tap_of(table)(config={})).records == rows


def test_integer_beyond_64_bits_is_written_exactly() -> None:
    wide = {**WHOLE, "maximum": 2**80}
    table = Table({"id": ID, "value": wide}, [{"id": 1}, {"id": 2, "value": 2**70}])
    assert run_of(tap_of(table)(config={})).records == [{"id": 1}, {"id": 2, "value": 2**70}]


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({}, None),
        ({"flattening_enabled": True, "flattening_max_depth": 1}, "flattening"),
        ({"stream_maps": {"figures": {"x": "id"}}}, "stream maps"),
        ({"stream_maps": {"copy": {"__source__": "figures"}}}, "stream maps"),
    ],
    ids=["nothing", "flattening", "a map", "a copy"],
)
def test_reason_for_single_records_is_returned(config: dict[str, Any], reason: str | None) -> None:
    tap = tap_of(Table({"id": ID}, ()))(config=config)
    assert needs_single_records(tap.streams["figures"]) == reason


@pytest.mark.parametrize(
    ("path", "reason"), [(("value",), None), (("value", "name"), "nested deselection")]
)
def test_nested_deselection_needs_single_records(path: tuple[str, ...], reason: str | None) -> None:
    tap = tap_of(Table({"id": ID, "value": OBJECT}, ()))
    made = tap(config={}, catalog=deselect(tap(config={}).catalog_dict, path))
    assert needs_single_records(made.streams["figures"]) == reason


def test_record_limit_needs_single_records(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    tap = tap_of(Table({"id": ID}, [{"id": 1}]))(config={})
    tap.streams["figures"].ABORT_AT_RECORD_COUNT = 5
    assert needs_single_records(tap.streams["figures"]) == "a record limit"
    assert run_of(tap).records == [{"id": 1}]
    assert "figures: written as RECORD messages because of a record limit" in caplog.messages


@pytest.mark.parametrize(
    "message",
    [
        SchemaMessage("figures", {"properties": {"id": ID, "none": None}}, ["id"]),
        SchemaMessage("figures", {}, None, ["day"]),
        StateMessage({"bookmarks": {"figures": {"replication_key_value": None}}}),
        ActivateVersionMessage("figures", 3),
        RecordMessage("figures", {"id": 1}, 3, datetime(2024, 1, 1, tzinfo=timezone.utc)),
    ],
    ids=lambda message: str(message.type.value),
)
def test_messages_are_the_same_as_those_of_the_sdk(message: Message) -> None:
    expected = SimpleSingerWriter().serialize_message(message)
    assert ChunkWriter().serialize_message(message) == expected
