"""Parsers of downloads: the same rows with pieces of any size, and work that grows linearly."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
from typing import TYPE_CHECKING, Any
from unittest import mock

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_kit.errors import Retriable, SyncFailed
from tap_kit.rows import csv_rows, json_rows
from tap_kit.rows.csv_rows import CsvRows
from tap_kit.rows.json_rows import JsonRows, Scanner
from tap_kit.rows.streaming import parse_rows

from tests.kit.rows.test_streaming import CUTS, OBJECTS, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_kit.rows.streaming import RowParser

MIB = 1 << 20
SMALL_PIECES = st.sampled_from([1, 5, 30])
CSV_TEXTS = st.text(st.sampled_from('a,"\n\r é'), max_size=60)


@given(OBJECTS, CUTS, SMALL_PIECES)
def test_objects_longer_than_a_piece_are_the_same(
    objects: list[Any], cuts: list[int], size: int
) -> None:
    with mock.patch.object(json_rows, "PIECE_BYTES", size):
        body = json.dumps(objects, ensure_ascii=False).encode()
        parser = JsonRows(msgspec.json.Decoder(list[dict[str, Any]]).decode, "the export")
        assert rows_of(parser, body, cuts) == objects


@given(OBJECTS.filter(bool), st.lists(st.integers(1, 60), min_size=1, max_size=6))
def test_the_scanner_finds_the_last_complete_object(objects: list[Any], sizes: list[int]) -> None:
    body = ",".join(map(json.dumps, objects)).encode() + b"]"
    ends = {len(",".join(map(json.dumps, objects[:number]))) for number in range(len(objects) + 1)}
    place, turn = 0, 0
    scanner = Scanner()
    while place < len(body):
        size = sizes[turn % len(sizes)]
        found = scanner.scan(body[place : place + size])
        complete = [end for end in ends if place < end <= place + size]
        assert found == (max(complete) - place if complete else 0)
        place, turn = place + size, turn + 1


@given(CSV_TEXTS, CUTS, SMALL_PIECES)
def test_any_csv_cut_anywhere_equals_the_csv_module(text: str, cuts: list[int], size: int) -> None:
    text = "a,b\n" + text
    body = text.encode()
    with mock.patch.object(csv_rows, "PIECE_BYTES", size):
        if body.count(b'"') % 2:
            with pytest.raises(Retriable, match="ends before its last row"):
                rows_of(CsvRows("x"), body, cuts)
            return
        try:
            lines = csv.reader(io.StringIO(text, newline=""), strict=True)
            expected = [row for row in lines if row][1:]
        except csv.Error:
            with pytest.raises(SyncFailed, match="cannot be parsed as CSV"):
                rows_of(CsvRows("x"), body, cuts)
            return
        if expected and len(expected[-1]) < 2 and not text.endswith(("\r", "\n")):
            with pytest.raises(Retriable, match="ends before its last row"):
                rows_of(CsvRows("x"), body, cuts)
            return
        try:
            rows = rows_of(CsvRows("x"), body, cuts)
        except SyncFailed:
            assert re.search(r'[^,"\r\n]"', text)  # a quote inside of a field without quotes
        else:
            assert rows == expected


HOSTILE_JSON: dict[str, bytes] = {
    "plain": b"x",
    "ends of objects": b"},{",
    "escaped quotes": rb"\"",
    "backslashes": rb"\\",
    "open brackets": b"[{",
}
NESTED_JSON: dict[str, bytes] = {
    "objects": b'{"a":1}',
    "lists": b"[[],[{}]]",
    "texts": rb'"}\",{"',
    "towers": b"[" * 300 + b"]" * 300,
}
HOSTILE_CSV = {"plain": b"x", "line feeds": b"\n", "quotes": b'""', "both": b'""\n', "rows": b",\r"}


class Work:
    """Counts the bytes that pass the counted functions."""

    def __init__(self) -> None:
        self.bytes = 0

    def counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``function``, which then counts the length of its first argument."""

        def count(body: bytes, **options: Any) -> Any:
            self.bytes += len(body)
            return function(body, **options)

        return count


def _cut(body: bytes, size: int) -> Iterator[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))


def _json_work(value: bytes, size: int, monkeypatch: pytest.MonkeyPatch) -> float:
    """Return how often a byte of a long value is scanned or decoded on average."""
    work, scan = Work(), Scanner.scan
    monkeypatch.setattr(
        Scanner, "scan", lambda self, piece: work.counted(lambda body: scan(self, body))(piece)
    )
    body = b'[{"a":"1","b":' + value + b'},{"a":"2"}]'
    decode = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
    parser = JsonRows(work.counted(decode), "x")
    rows = [row for batch in parse_rows(_cut(body, size), parser) for row in batch]
    assert [bytes(row["a"]) for row in rows] == [b'"1"', b'"2"']
    assert bytes(rows[0]["b"]) == value
    return work.bytes / len(body)


@pytest.mark.parametrize("size", [1 << 12, 1 << 17])
@pytest.mark.parametrize("name", HOSTILE_JSON)
def test_a_long_text_of_any_content_is_scanned_and_decoded_once(
    name: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = HOSTILE_JSON[name]
    value = b'"' + unit * (3 * MIB // len(unit)) + b'"'
    assert _json_work(value, size, monkeypatch) < 2.5


@pytest.mark.parametrize("name", NESTED_JSON)
def test_a_long_list_of_any_content_is_scanned_and_decoded_once(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = NESTED_JSON[name]
    value = b"[" + b",".join([unit] * (3 * MIB // len(unit))) + b"]"
    assert _json_work(value, 1 << 17, monkeypatch) < 2.5


def test_tiny_pieces_are_not_decoded_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _json_work(b'"' + b"},{" * 5_000 + b'"', 1, monkeypatch) < 10


@pytest.mark.parametrize("name", HOSTILE_CSV)
def test_a_long_csv_field_is_searched_when_it_arrives_and_parsed_once(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = HOSTILE_CSV[name]
    body = b'a,b\n1,"' + unit * (3 * MIB // len(unit)) + b'"\n2,3\n'
    work = Work()
    for function in (csv_rows.end_of_rows, csv_rows.lines_of):
        monkeypatch.setattr(csv_rows, function.__name__, work.counted(function))
    parser: RowParser = CsvRows("x")
    rows = [row for batch in parse_rows(_cut(body, 1 << 17), parser) for row in batch]
    text = body.decode().replace("a,b\n", "", 1)
    assert rows == list(csv.reader(io.StringIO(text, newline="")))
    assert work.bytes / len(body) < 2.5


@pytest.mark.parametrize(
    "value",
    [b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000, b"[" * 100_000],
    ids=["lists", "objects", "open"],
)
@pytest.mark.parametrize("size", [1 << 10, 1 << 21])
def test_deep_nesting_is_one_line(value: bytes, size: int) -> None:
    body = b'[{"a":"1"},{"a":' + value + b'},{"a":"2"}]'
    parser = JsonRows(msgspec.json.Decoder(list[dict[str, Any]]).decode, "the export")
    with pytest.raises((SyncFailed, Retriable), match=r"^the export: [^\n]+$"):
        rows_of(parser, body, [*range(0, len(body), size)])


@pytest.mark.parametrize("number", [b"9" * 5_000, b"1e999", b"-1e999", b"NaN"])
def test_a_huge_number_is_one_line_or_itself(number: bytes) -> None:
    body = b'[{"a":' + number + b',"b":"\\ud800"}]'
    parser = JsonRows(msgspec.json.Decoder(list[dict[str, Any]]).decode, "the export")
    try:
        rows = rows_of(parser, body, [])
    except (SyncFailed, Retriable) as error:
        assert str(error).startswith("the export: ")  # noqa: PT017  (either way is right)
    else:
        assert rows[0]["b"] == "\ufffd"


def test_a_large_integer_beside_invalid_unicode_is_kept() -> None:
    body = b'[{"a":' + b"7" * 30 + b',"b":"\\ud800"}]'
    parser = JsonRows(msgspec.json.Decoder(list[dict[str, Any]]).decode, "the export")
    assert rows_of(parser, body, []) == [{"a": int("7" * 30), "b": "\ufffd"}]


def test_csv_that_is_not_utf_8_is_replaced_with_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    body = "a\n" + "Müller\n" * 5
    with caplog.at_level(logging.WARNING):
        rows = rows_of(CsvRows("the export"), body.encode("cp1252"), [*range(0, 40, 3)])
    assert rows == [["M\ufffdller"]] * 5
    assert caplog.messages == [
        "the export: replaced invalid Unicode in the response with U+FFFD",
    ]


def test_rows_that_no_decoder_accepts_are_one_line() -> None:
    def reject(_: bytes) -> list[Any]:
        raise msgspec.DecodeError

    body = b'[{"a":1},{"a":2}]'
    with pytest.raises(Retriable, match=r"^x: the body is not a JSON array of objects$"):
        rows_of(JsonRows(reject, "x"), body, [])

    def overflow(_: bytes) -> list[Any]:
        raise RecursionError

    with pytest.raises(SyncFailed, match=r"^x: a row is nested too deeply$"):
        rows_of(JsonRows(overflow, "x"), body, [])
