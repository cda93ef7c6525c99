"""The fast path writes the same messages as the SDK's own path."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from tap_kit.errors import PartitionUnavailable, SyncFailed
from tap_kit.rows.chunks import CHUNK_ROWS, ChunkWriter

from tests.kit.canned import (
    ID,
    NUMBER,
    TEXT,
    WHOLE,
    Run,
    Table,
    decode_from_bytes,
    deselect,
    force_single_records,
    run_of,
    tap_of,
    use_sdk_path,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from singer_sdk.singerlib import Message
    from tap_kit.flow.tasks import WindowTask

DAYS = {"start_date": "2024-01-01", "end_date": "2024-01-03"}
NESTED = {
    "type": ["object", "null"],
    "properties": {
        "name": TEXT,
        "count": WHOLE,
        "tags": {"type": ["array", "null"], "items": TEXT},
        "deep": {"type": ["object", "null"], "properties": {"x": NUMBER}},
    },
}
SITES = ({"site": 1}, {"site": 2})


def texts(*values: str) -> Table:
    """Return a table with an id and a name."""
    return Table({"id": ID, "name": TEXT}, [{"id": i, "name": v} for i, v in enumerate(values)])


def of(definition: dict[str, Any], *values: object) -> Table:
    """Return a table with an id and a value of some type."""
    rows = [{"id": i, "value": value} for i, value in enumerate(values)]
    return Table({"id": ID, "value": definition}, rows)


def rows_of(table: Table) -> Sequence[Any]:
    """Return the rows of a table without windows and partitions."""
    assert not callable(table.read)
    return table.read


def daily(rows: int = 2, **more: Any) -> Table:
    """Return a table with windows: some rows per day and partition."""

    def read(task: WindowTask) -> list[dict[str, Any]]:
        day = task.window.first
        place = dict(task.partition)
        return [{"id": day.day * 100 + i, "date": day.isoformat(), **place} for i in range(rows)]

    properties = {"id": ID, "date": {"type": "string", "format": "date"}, "site": WHOLE}
    return Table(properties, more.pop("read", read), replication_key="date", **more)


def failing_on(
    day: int, error: Exception | None = None
) -> Callable[[WindowTask], list[dict[str, Any]]]:
    """Return a function that reads rows up to a day with a wrong value or an error."""

    def read(task: WindowTask) -> list[dict[str, Any]]:
        if task.window.first.day != day:
            return [{"id": task.window.first.day, "date": task.window.first.isoformat()}]
        if error is not None:
            raise error
        return [{"id": 1, "date": "2024-01-02"}, {"id": "x", "date": "2024-01-02"}]

    return read


# A tap of the SDK without the kit writes the same for these.
SAME_AS_SDK: dict[str, tuple[Table, ...]] = {
    "no rows": (texts(),),
    "one row": (texts("a"),),
    "Unicode": (texts("Çatalca", "日本語", "😀", "e\u0301", "\ufeff", "\uffff", "\ufffd"),),
    "line ends": (texts("a\nb", "\r\n", "\u2028\u2029", "\x85", "\x0b\x0c", "\x00\x1f\x7f"),),
    "quotes and back-slashes": (texts('"', "\\", '\\"', "\\n", "</script>", '"record":null'),),
    "texts that look like something": (texts("", " ", "null", "1", "NaN", "true"),),
    "null": (of(TEXT, None, "x", None),),
    "null before the type": (of({"type": ["null", "string"]}, None, "x"),),
    "null before two types": (of({"type": ["null", "integer", "string"]}, None, 1, "x"),),
    "null only": (of({"type": "null"}, None),),
    "missing keys": (
        Table(
            {"id": ID, "a": TEXT, "b": WHOLE}, [{"id": 1}, {"id": 2, "b": 1}, {"id": 3, "a": ""}]
        ),
    ),
    "booleans": (of({"type": ["boolean", "null"]}, *(True, False), None),),
    "small and large whole numbers": (of(WHOLE, 0, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63)),),
    "floats": (of(NUMBER, 0.1, 1e22, 1e16, 5e-324, 1.7e308, -0.0, 100.0, 123456789.123456789),),
    "whole numbers as numbers": (of(NUMBER, 1, -5, 2**53 + 1, 0),),
    "whole numbers beyond 64 bits as numbers": (of(NUMBER, 2**64, 10**30),),
    "NaN and infinities": (of(NUMBER, float("nan"), float("inf"), float("-inf"), 1.0),),
    "lone surrogates": (texts("a\ud800b", "fine", "\udfff"),),
    "date-times": (
        of(
            {"type": ["string", "null"], "format": "date-time"},
            "2024-01-01T00:00:00Z",
            "2024-01-01T00:00:00.123456+05:30",
            "2024-01-01T00:00:00.5-01:00",
            None,
        ),
    ),
    "objects": (
        of(
            NESTED,
            {"name": "a", "count": 1, "tags": ["x", None], "deep": {"x": 1.5}},
            {"name": None, "deep": None, "tags": None},
            {"tags": []},
            {"deep": {}},
            {},
            None,
        ),
    ),
    "lists of objects": (
        of({"type": "array", "items": NESTED}, [], [{"name": "a"}, {"deep": {"x": 1}}], [{}]),
    ),
    "lists of lists": (
        of({"type": "array", "items": {"type": "array", "items": WHOLE}}, [[1], [], [None, 2]]),
    ),
    "names that are no identifiers": (
        of(
            {"type": "object", "properties": {"first-name": TEXT, "1st": TEXT, "class": TEXT}},
            {"first-name": "a", "1st": "b", "class": "c"},
        ),
    ),
    "anything": (
        of(
            {"type": ["object", "array", "number", "string", "boolean", "null"]},
            *(1, 1.5, "x", not 0, None, [1, {"a": None}], {"b": [1.5]}),
        ),
    ),
    "one of two types": (of({"type": ["integer", "string", "null"]}, 1, "1", None),),
    "a required field": (
        Table({"id": ID, "name": TEXT}, [{"id": 1, "name": None}], required=("id", "name")),
    ),
    "two tables": (texts("a"), Table({"id": ID}, [{"id": 9}], name="others")),
    "partitions": (
        Table(
            {"id": ID, "site": ID},
            lambda task: [{"id": 1, **task.partition}],
            partitions=SITES,
        ),
    ),
}
OTHERS: dict[str, tuple[Table, ...]] = {
    "beyond 64 bits": (of(WHOLE, 2**63, 2**64, -(2**63) - 1, 10**30, 7),),
    "days": (daily(),),
    "days without rows": (daily(0),),
    "days of partitions": (daily(partitions=SITES),),
    "more rows than a chunk has": (of(WHOLE, *range(CHUNK_ROWS + 1)),),
    "as many rows as a chunk has": (of(WHOLE, *range(CHUNK_ROWS)),),
    "Decimals": (of(NUMBER, Decimal("1.5"), Decimal("1e2")),),
    "no partition at all": (daily(partitions=()), texts("a")),
    "a wrong type on the second day": (daily(read=failing_on(2)), texts("a")),
    "an error on the second day": (daily(read=failing_on(2, SyncFailed("no more"))),),
    "an error on the first day": (daily(read=failing_on(1, SyncFailed("no more"))),),
    "a day that is refused": (daily(read=failing_on(2, PartitionUnavailable("no plan"))),),
    "unknown fields": (Table({"id": ID}, [{"id": 1, "new": 1}, {"id": 2, "newer": {}}]),),
    "an object with other fields": (
        of({"type": "object", "additionalProperties": True, "properties": {"a": TEXT}}, {"b": 1}),
    ),
    "an object without a list of fields": (of({"type": ["object", "null"]}, {"a": {"b": 1}}),),
}
CASES = {**SAME_AS_SDK, **OTHERS}
CONFIGS: dict[str, dict[str, Any]] = {
    "": {},
    "activate version": {"emit_activate_version_messages": True},
    "one at a time": {"max_concurrency": 1},
}


def count_writes(monkeypatch: pytest.MonkeyPatch) -> list[Message]:
    """Return the records that the writer receives from now on: single ones or chunks."""
    received = []
    write = ChunkWriter.write_message

    def counting(writer: ChunkWriter, message: Message) -> None:
        if message.type == "RECORD":
            received.append(message)
        write(writer, message)

    monkeypatch.setattr(ChunkWriter, "write_message", counting)
    return received


def run(tables: tuple[Table, ...], **config: Any) -> Run:
    return run_of(tap_of(*tables)(config={**DAYS, **config}))


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
@pytest.mark.parametrize("tables", CASES.values(), ids=CASES)
def test_both_paths_write_the_same_messages(
    tables: tuple[Table, ...], config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = run(tables, **config)
    with monkeypatch.context() as patch:
        force_single_records(patch)
        slow = run(tables, **config)
    assert fast == Run(slow.messages, slow.error, fast.lines)
    versions = {message["stream"] for message in fast.of("ACTIVATE_VERSION")}
    whole = {t.name for t in tables if t.replication_key is None} if not fast.error else versions
    assert versions == (whole if "emit_activate_version_messages" in config else set())


NO_JSON = {"NaN and infinities", "lone surrogates", "Decimals"}  # JSON cannot contain these
IN_JSON = {name: tables for name, tables in CASES.items() if name not in NO_JSON}


@pytest.mark.parametrize("tables", IN_JSON.values(), ids=IN_JSON)
def test_rows_decoded_from_bytes_write_the_same_messages(
    tables: tuple[Table, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = run(tables)
    decode_from_bytes(monkeypatch)
    fast = run(tables)
    force_single_records(monkeypatch)
    slow = run(tables)
    assert [fast.error, *fast.messages] == [slow.error, *slow.messages]
    assert [fast.error, *fast.messages] == [plain.error, *plain.messages]


@pytest.mark.parametrize("tables", SAME_AS_SDK.values(), ids=SAME_AS_SDK)
def test_sdk_stream_writes_the_same_records(
    tables: tuple[Table, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = run(tables)
    use_sdk_path(monkeypatch)
    assert [fast.error, *fast.records] == ["", *run(tables).records]


@pytest.mark.parametrize("tables", CASES.values(), ids=CASES)
def test_rows_take_the_fast_path(
    tables: tuple[Table, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If they did not, the comparison of the two paths would compare one path with itself."""
    received = count_writes(monkeypatch)
    done = run(tables)
    if tables[0].partitions is None and tables[0].replication_key is None:
        most = sum(-(-len(rows_of(table)) // CHUNK_ROWS) for table in tables)
        assert len(received) == most
    else:
        assert len(received) == len(
            {tuple(r.get(k) for k in ("date", "site")) for r in done.records}
        )


DESELECTED: dict[str, tuple[tuple[str, ...], ...]] = {
    "a field": (("name",),),
    "all fields that can be": (("name",), ("value",)),
    "the stream": ((),),
    "an object": (("value",),),
    "a key, which stays": (("id",),),
    "a field of an object": (("value", "name"),),
    "a field deep down": (("value", "deep", "x"),),
}


@pytest.mark.parametrize("paths", DESELECTED.values(), ids=DESELECTED)
def test_both_paths_leave_out_deselected_fields(
    paths: tuple[tuple[str, ...], ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"id": 1, "name": "a", "value": {"name": "b", "count": 1, "deep": {"x": 1}}}, {"id": 2}]
    tap = tap_of(Table({"id": ID, "name": TEXT, "value": NESTED}, rows))
    catalog = deselect(tap(config=DAYS).catalog_dict, *paths)
    fast = run_of(tap(config=DAYS, catalog=catalog))
    with monkeypatch.context() as patch:
        force_single_records(patch)
        assert run_of(tap(config=DAYS, catalog=catalog)).messages == fast.messages
    use_sdk_path(monkeypatch)
    assert run_of(tap(config=DAYS, catalog=catalog)).messages == fast.messages
    assert [len(record) for record in fast.records] != [3, 1] or paths == (("id",),) or paths[0][1:]


NEED_SINGLE: dict[str, dict[str, Any]] = {
    "flattening": {"flattening_enabled": True, "flattening_max_depth": 2},
    "a stream map": {"stream_maps": {"figures": {"twice": "id * 2", "name": None}}},
    "a filter": {"stream_maps": {"figures": {"__filter__": "id > 1"}}},
    "an alias": {"stream_maps": {"figures": {"__alias__": "renamed"}}},
    "a removed stream": {"stream_maps": {"figures": None}},
    "a copy": {"stream_maps": {"copy": {"__source__": "figures"}}},
}


@pytest.mark.parametrize("config", NEED_SINGLE.values(), ids=NEED_SINGLE)
def test_settings_that_change_single_records_take_effect(
    config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"id": i, "name": "a", "value": {"deep": {"x": i}}} for i in (1, 2)]
    tables = (Table({"id": ID, "name": TEXT, "value": NESTED}, rows),)
    plain = run(tables)
    kit = run(tables, **config)
    use_sdk_path(monkeypatch)
    assert run(tables, **config).messages == kit.messages != plain.messages


def test_unknown_fields_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    rows: list[list[dict[str, Any]]] = [
        [{"id": 1, "b": 1, "a": 2}],
        [{"id": 2, "a": 1}],
        [{"id": 3, "c": 1, "date": None}],
    ]

    def read(task: WindowTask) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = rows[task.window.first.day - 1]
        return found

    table = Table({"id": ID, "date": TEXT}, read, replication_key="date")
    assert run((table,), max_concurrency=1).records == [
        {"id": 1},
        {"id": 2},
        {"id": 3, "date": None},
    ]
    logged = [m for m in caplog.messages if "not in the catalog" in m]
    assert logged == [
        "figures: ignoring fields that are not in the catalog: 'a', 'b'",
        "figures: ignoring fields that are not in the catalog: 'c'",
    ]


def test_unknown_fields_inside_an_object_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """Properties that the schema does not list are not written, which must not be silent."""
    values = ({"name": "a", "new": 1}, {"name": "b", "new": 2}, {"deep": {"newer": 1}})
    assert run((of(NESTED, *values),)).records == [
        {"id": 0, "value": {"name": "a"}},
        {"id": 1, "value": {"name": "b"}},
        {"id": 2, "value": {"deep": {}}},
    ]
    logged = [m for m in caplog.messages if "not in the catalog" in m]
    assert len(logged) == 1
    assert "'value.new'" in logged[0]
    assert "'value.deep.newer'" in logged[0]


def test_deselected_field_is_not_logged_as_unknown(caplog: pytest.LogCaptureFixture) -> None:
    tap = tap_of(texts("a"))
    catalog = deselect(tap(config=DAYS).catalog_dict, ("name",))
    assert run_of(tap(config=DAYS, catalog=catalog)).records == [{"id": 0}]
    assert not [m for m in caplog.messages if "not in the catalog" in m]


def test_rows_before_an_error_are_written_with_their_bookmark() -> None:
    done = run((daily(read=failing_on(2)),))
    assert done.error == "figures: field id: expected int, got str"
    assert [record["date"] for record in done.records] == ["2024-01-01"]
    state = done.of("STATE")[-1]["value"]["bookmarks"]["figures"]
    assert state["replication_key_value"] == "2024-01-01"
    assert done.messages[-1]["type"] == "STATE"
