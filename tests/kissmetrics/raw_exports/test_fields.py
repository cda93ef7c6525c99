"""The vendor's own fields are taken out of lines; rows are made of all kinds."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_kissmetrics.raw_exports.decoding import decode
from tap_kissmetrics.raw_exports.fields import line_of
from tap_kissmetrics.raw_exports.rows import KINDS, LineRows, RowMaker
from typing_extensions import override

FIELDS = (
    *("product", "revision", "line", "event", "identity", "second_identity", "occurred_at"),
    *("received_at", "counter", "equal_lines_before", "mended", "properties", "reason", "text"),
    "length",
)
T = 1_362_920_827
EVERY = {"second_identity": None, "reason": None, "text": None, "length": None, "event": None}
AT = "2013-03-10T13:07:07Z"


def rows_of(*lines: Any, columns: dict[str, str] | None = None) -> list[tuple[str, dict[str, Any]]]:
    """Return the kind and the row of each line."""
    texts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    columns = columns or {}
    makers = {kind: _Maker((*FIELDS, *columns), columns, EVERY) for kind in KINDS}
    found = LineRows(makers, "shop", 7).of(1, texts, decode(texts), {})
    rows = [(kind, msgspec.to_builtins(row)) for kind, rows in found.items() for row in rows]
    return sorted(rows, key=lambda one: one[1]["line"])


class _Maker(RowMaker):
    """A maker of rows that have the fields of all kinds."""

    def __init__(self, fields: Any, columns: Any, every: dict[str, Any]) -> None:
        super().__init__(fields, columns)
        self._every = every

    @override
    def rows(self, values: Any, properties: Any) -> Any:
        count = len(properties)
        every = {field: [None] * count for field in self._every}
        return super().rows({**every, **values}, properties)

    @override
    def row(self, values: Any) -> Any:
        empty = {"identity": None, "occurred_at": None, "received_at": None, "counter": None}
        return super().row({**self._every, **empty, "properties": {}, **values})


def only(*lines: Any, **options: Any) -> tuple[str, dict[str, Any]]:
    (found,) = rows_of(*lines, **options)
    kind, row = found
    return kind, {name: value for name, value in row.items() if value not in (None, 0, {})}


BASE = {"product": "shop", "revision": 7, "line": 1, "identity": "a", "occurred_at": AT}


@pytest.mark.parametrize(
    ("line", "kind", "more"),
    [
        ({"_n": "e", "x y": 1}, "raw_events", {"event": "e", "properties": {"x y": 1}}),
        ({"x": None}, "raw_properties", {"properties": {"x": None}}),
        ({}, "raw_properties", {}),
        ({"_p2": "b", "x": "1"}, "raw_aliases", {"second_identity": "b", "properties": {"x": "1"}}),
        ({"_n": "e", "_p2": "b"}, "raw_events", {"event": "e", "properties": {"_p2": "b"}}),
        ({"_n": 5}, "raw_events", {"event": "5"}),
        ({"_p": 12}, "raw_properties", {"identity": "12"}),
        ({"_p2": 1.5}, "raw_aliases", {"second_identity": "1.5"}),
        ({"_t": f"{T}"}, "raw_properties", {}),
        ({"_t": T + 0.5}, "raw_properties", {"occurred_at": "2013-03-10T13:07:07.500000Z"}),
        ({"_t": -1}, "raw_properties", {"occurred_at": "1969-12-31T23:59:59Z"}),
        ({"_c": 4}, "raw_properties", {"counter": 4}),
        ({"_c": 4, "_server_timestamp": T}, "raw_properties", {"counter": 4, "received_at": AT}),
        ({"_server_timestamp": f"{T}"}, "raw_properties", {"received_at": AT}),
        ({"_c": "x"}, "raw_properties", {"properties": {"_c": "x"}}),
        ({"_c": 1 << 70}, "raw_properties", {"properties": {"_c": 1 << 70}}),
        ({"_server_timestamp": "x"}, "raw_properties", {"properties": {"_server_timestamp": "x"}}),
        ({"_other": 1}, "raw_properties", {"properties": {"_other": 1}}),
    ],
)
def test_line_is_of_a_kind(line: dict[str, Any], kind: str, more: dict[str, Any]) -> None:
    assert only({"_p": "a", "_t": T, **line}) == (kind, {**BASE, **more})


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"_t": T}, "has no _p, or it is no text"),
        ({"_p": "", "_t": T}, "has no _p, or it is no text"),
        ({"_p": None, "_t": T}, "has no _p, or it is no text"),
        ({"_p": True, "_t": T}, "has no _p, or it is no text"),
        ({"_p": ["a"], "_t": T}, "has no _p, or it is no text"),
        ({"_p": "a"}, "has no _t, or it is no time"),
        ({"_p": "a", "_t": "soon"}, "has no _t, or it is no time"),
        ({"_p": "a", "_t": True}, "has no _t, or it is no time"),
        ({"_p": "a", "_t": T * 1000}, "has no _t, or it is no time"),
        ({"_p": "a", "_t": 1 << 80}, "has no _t, or it is no time"),
        ({"_p": "a", "_t": T, "_n": None}, "has a _n that is no text"),
        ({"_p": "a", "_t": T, "_n": {}}, "has a _n that is no text"),
        ({"_p": "a", "_t": T, "_p2": None}, "has a _p2 that is no text"),
        ({"_p": "a", "_t": T, "_p2": ""}, "has a _p2 that is no text"),
    ],
)
def test_line_that_cannot_be_used_is_a_reject(line: dict[str, Any], reason: str) -> None:
    text = json.dumps(line)
    row = {**BASE, "reason": reason, "text": text, "length": len(text)}
    del row["identity"], row["occurred_at"]
    assert only(line) == ("raw_rejects", row)


def test_text_of_a_reject_has_all_its_bytes() -> None:
    _, row = only(b"{caf\xe9")
    assert (row["text"], row["length"]) == ("{caf\\xe9", 5)


def test_lines_of_all_kinds_together_keep_their_order() -> None:
    usual, event = {"_p": "a", "_t": T}, {"_p": "a", "_t": T, "_n": "e"}
    mobile = {**event, "_c": 1, "_server_timestamp": T + 1}
    strange = {**event, "_t": f"{T}", "z": 1}
    alias = {**usual, "_p2": "b"}
    lines = [event, b"", usual, strange, mobile, alias, {**event, "_p": 5}, {"_p": "a"}, event]
    found = rows_of(*lines)
    assert [kind[4:] for kind, _ in found] == [
        *("events", "rejects", "properties", "events", "events", "aliases", "events", "rejects"),
        "events",
    ]
    assert [row["line"] for _, row in found] == [*range(1, 10)]
    assert found[3][1]["properties"] == {"z": 1}
    assert found[4][1]["received_at"] == "2013-03-10T13:07:08Z"
    assert found[6][1]["identity"] == "5"


def test_columns_have_properties_as_texts() -> None:
    lines = [
        {"_p": "a", "_t": T, "Plan.Name": "gold", "n": 1.5},
        {"_p": "a", "_t": T, "n": True},
        {"_p": 5, "_t": T, "n": [1]},
        {"_p": "a", "_t": T, "Plan.Name": None},
    ]
    found = rows_of(*lines, columns={"plan_name": "Plan.Name", "n": "n"})
    columns = [(row["plan_name"], row["n"]) for _, row in found]
    assert columns == [("gold", "1.5"), (None, "true"), (None, "[1]"), (None, None)]
    assert found[0][1]["properties"] == {"Plan.Name": "gold", "n": 1.5}


def test_years_one_and_9999_are_times() -> None:
    for year in (1, 9999):
        moment = datetime(year, 6, 1, tzinfo=timezone.utc)
        _, row = only({"_p": "a", "_t": int(moment.timestamp())})
        assert row["occurred_at"] == f"{year:04d}-06-01T00:00:00Z"


# The fast way of many lines, compared with the slow way of one

VALUES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(["", "a", "\u00e9\ud83e\udd47", f"{T}", f"{T}.25", "soon", None, True, [], {}]),
    st.sampled_from([0, -1, T, T * 1000, T + 0.5, 1 << 62, 1 << 70, -(1 << 70), 1e300]),
)
NAMES = st.sampled_from(["_p", "_t", "_n", "_p2", "_c", "_server_timestamp", "_x", "x", "X y"])
USUAL = st.fixed_dictionaries({"_p": st.just("a"), "_t": st.just(T)}, optional={"_n": st.just("e")})
LINES = st.lists(
    st.one_of(
        USUAL,
        st.builds(lambda usual, other: {**usual, **other}, USUAL, st.dictionaries(NAMES, VALUES)),
        st.dictionaries(NAMES, VALUES),
        st.sampled_from(
            [b"", b"[]", b"{", rb'{"_p":"\302\243","_t":5}', b'{"_p":"\xe9","_t":5,"x":NaN}']
        ),
        st.sampled_from([b'{"_p":"a","_p":"b","_t":1,"x":1,"x":2}', b'{ "_t" : 7, "_p" : "a" }\r']),
    ),
    max_size=12,
)


@given(lines=LINES)
def test_many_lines_have_the_rows_of_each_alone(lines: list[Any]) -> None:
    """A usual line takes the fast way; ``line_of`` is the slow way of each."""
    texts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    found = LineRows(dict.fromkeys(KINDS, _Maker(FIELDS, {}, EVERY)), "shop", 7).of(
        1, texts, decode(texts), {}
    )
    expected: dict[str, list[Any]] = {}
    for number, text in enumerate(texts, 1):
        kind, row = alone(text)
        expected.setdefault(kind, []).append({**row, "line": number})
    rows = {kind: [msgspec.to_builtins(row) for row in rows] for kind, rows in found.items()}
    assert {kind: without_nulls(some) for kind, some in rows.items()} == {
        kind: without_nulls(some) for kind, some in expected.items()
    }


def without_nulls(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: one for name, one in row.items() if one is not None} for row in rows]


def alone(text: bytes) -> tuple[str, dict[str, Any]]:
    """Return the kind and the row of a line, by the slow way."""
    decoded = decode([text])
    said = line_of(decoded.records[0]) if decoded.records else decoded.reasons[0]
    none = dict.fromkeys(FIELDS)
    own = {"product": "shop", "revision": 7, "equal_lines_before": 0, "properties": {}}
    if isinstance(said, str):
        shown = text.decode("utf-8", "backslashreplace")
        return "raw_rejects", {**none, **own, "reason": said, "text": shown, "length": len(text)}
    kind = "aliases" if said.second is not None else "properties"
    row = {
        "event": said.name,
        "identity": said.identity,
        "second_identity": said.second,
        "occurred_at": msgspec.to_builtins(said.occurred_at),
        "received_at": msgspec.to_builtins(said.received_at),
        "counter": said.counter,
        "properties": said.properties,
        "mended": decoded.mended.get(0),
    }
    return f"raw_{kind if said.name is None else 'events'}", {**none, **own, **row}
