"""Rows of a body while it arrives: they do not depend on how the bytes are split."""

from __future__ import annotations

import csv
import io
import json
from itertools import chain, pairwise, product, repeat
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_kit.errors import Retriable, SyncFailed
from tap_kit.rows import streaming
from tap_kit.rows.csv_rows import CsvRows
from tap_kit.rows.json_rows import JsonRows
from tap_kit.rows.streaming import parse_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_kit.rows.streaming import RowParser

TRICKY = '{}[],:"\\\n\r\t\u2028é中😀 '
TEXTS = st.text(st.one_of(st.sampled_from(TRICKY), st.characters(codec="utf-8")), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
OBJECTS = st.lists(st.dictionaries(TEXTS, VALUES, max_size=4), max_size=6)
INDENTS = st.sampled_from([None, 0, 1, 4])
CUTS = st.lists(st.integers(0, 400), max_size=8)
ROW = dict[str, Any]


def pieces(body: bytes, cuts: list[int]) -> Iterator[bytes]:
    """Yield the body split at these places."""
    places = sorted({0, *(min(cut, len(body)) for cut in cuts), len(body)})
    for start, end in pairwise(places):
        yield body[start:end]


def rows_of(parser: RowParser, body: bytes, cuts: list[int]) -> list[Any]:
    return [row for batch in parse_rows(pieces(body, cuts), parser) for row in batch]


def json_rows(row: Any = ROW) -> JsonRows:
    return JsonRows(msgspec.json.Decoder(list[row]).decode, "the export")


@given(OBJECTS, CUTS, INDENTS, st.booleans())
def test_json_split_anywhere_equals_json_loads(
    objects: list[Any],
    cuts: list[int],
    indent: int | None,
    ascii_only: bool,  # noqa: FBT001
) -> None:
    body = json.dumps(objects, indent=indent, ensure_ascii=ascii_only).encode()
    assert rows_of(json_rows(), body, cuts) == json.loads(body)


@given(OBJECTS)
def test_json_byte_by_byte_returns_each_row_when_it_is_complete(objects: list[Any]) -> None:
    body = json.dumps(objects, ensure_ascii=False).encode()
    parser = json_rows()
    rows = []
    for place in range(len(body)):
        rows += parser.push(body[place : place + 1])
    assert rows == objects  # no row waits for the end
    assert parser.finalize() == []


@given(st.lists(st.lists(TEXTS, min_size=2, max_size=2), min_size=1, max_size=6), CUTS)
def test_csv_split_anywhere_equals_the_csv_module(table: list[list[str]], cuts: list[int]) -> None:
    for ending, dialect in product(("\n", "\r\n"), ("excel", "unix")):  # unix quotes everything
        text = io.StringIO(newline="")
        csv.writer(text, dialect, lineterminator=ending).writerows([["a", "b"], *table])
        parser = CsvRows("the export")
        expected = [row for row in csv.reader(io.StringIO(text.getvalue(), newline="")) if row]
        assert rows_of(parser, text.getvalue().encode(), cuts) == expected[1:]
        assert parser.header == ["a", "b"]
        if dialect == "unix":  # excel writes a lone "\r" without quotes
            assert expected[1:] == table


@given(OBJECTS.filter(bool), st.integers(0, 400))
def test_truncated_json_is_retriable(objects: list[Any], end: int) -> None:
    body = json.dumps(objects).encode()
    with pytest.raises(Retriable, match="the export"):
        rows_of(json_rows(), body[: min(end, len(body) - 1)], [])


@pytest.mark.parametrize(
    "body",
    [
        b'{"message":"error"}',
        b"<Error/>",
        b"null",
        b'"text"',
        b"",
        b"   ",
        b"\xef\xbb",
        b"[1,2]",
        b'[{"a":1}{"a":2}]',
        b'[{"a":1}] and more',
        b'[{"a":1},]',
        b'[,{"a":1}]',
    ],
)
@pytest.mark.parametrize("cuts", [[], [*range(40)]], ids=["whole", "bytes"])
def test_json_that_is_not_a_list_of_objects_is_retriable(body: bytes, cuts: list[int]) -> None:
    with pytest.raises(Retriable, match="the export"):
        rows_of(json_rows(), body, cuts)


@pytest.mark.parametrize("cuts", [[], [1, 2, 3, 4, 5]], ids=["whole", "cut"])
def test_byte_order_mark_is_ignored(cuts: list[int]) -> None:
    assert rows_of(json_rows(), b'\xef\xbb\xbf[{"a":1}]', cuts) == [{"a": 1}]
    parser = CsvRows("x")
    assert rows_of(parser, b'\xef\xbb\xbf"a",b\n1,2', cuts) == [["1", "2"]]
    assert parser.header == ["a", "b"]


def test_invalid_unicode_is_replaced() -> None:
    body = b'[{"a":"\xff}"},{"a":"\\ud800"},{"a":"x"}]'
    assert rows_of(json_rows(), body, []) == [{"a": "\ufffd}"}, {"a": "\ufffd"}, {"a": "x"}]
    assert rows_of(CsvRows("x"), b"a\n\xff\n", []) == [["\ufffd"]]


def test_wrong_type_is_an_error_that_names_the_source() -> None:
    with pytest.raises(SyncFailed, match="the export: Expected `str`, got `int`") as caught:
        rows_of(json_rows(dict[str, str]), b'[{"a":"x"},{"a":7}]', [])
    assert not isinstance(caught.value, Retriable)


@pytest.mark.parametrize("body", [b"", b"\n\n", b'a,b\n1,"2', b"<html>\n", b'{"message":"no"}'])
def test_body_that_is_not_csv_is_retriable(body: bytes) -> None:
    with pytest.raises(Retriable, match="the export"):
        rows_of(CsvRows("the export"), body, [])


@pytest.mark.parametrize(
    "body", [b'[{"a":"' + b"x" * 300, b'a\n"' + b"x" * 300], ids=["json", "csv"]
)
def test_row_without_an_end_does_not_fill_the_memory(
    body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "MAX_ROW_BYTES", 200)
    parser: RowParser = json_rows() if body[:1] == b"[" else CsvRows("the export")
    with pytest.raises(Retriable, match="a row is longer than"):
        rows_of(parser, body, [*range(0, 300, 10)])


@pytest.mark.parametrize("more", [0, 1])
def test_row_can_be_as_long_as_the_limit(more: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "MAX_ROW_BYTES", 3 << 20)
    parser = CsvRows("the export")
    parser.push(b"a\n")
    text = b'"' + b"x" * ((3 << 20) - 1 + more)
    if more:
        with pytest.raises(Retriable, match=r"^the export: a row is longer than 3 MiB$"):
            parser.push(text)
    else:
        assert parser.push(text) == []


@pytest.mark.parametrize("start", [b"a,b\n", b"", b'a,b\n1,2\n"x","""",'])
@pytest.mark.parametrize("cells", [b",", b'"",', b"1,", b'"\n",'])
def test_row_with_too_many_cells_is_an_error(start: bytes, cells: bytes) -> None:
    """Its list would take several times the memory of the row."""
    with pytest.raises(Retriable, match=r"^x: a row has more than 100,000 cells$"):
        list(parse_rows(chain([start], repeat(cells * 10_000, 30)), CsvRows("x")))


def test_commas_of_a_text_are_no_cells() -> None:
    body = b'a,b\n1,"' + b'x,""' * 200_000 + b'"\n2,3\n'
    rows = rows_of(CsvRows("x"), body, [*range(0, len(body), 99_991)])
    assert rows == [["1", 'x,"' * 200_000], ["2", "3"]]


def test_slow_source_does_not_delay_complete_rows() -> None:
    parser = json_rows()
    assert parser.push(b'[{"a":1},{"a":2},{"a"') == [{"a": 1}, {"a": 2}]
    assert parser.push(b":3}") == [{"a": 3}]
    table = CsvRows("x")
    assert table.push(b'a\n1\n"2\n') == [["1"]]
    assert table.push(b'"\n') == [["2\n"]]


@pytest.mark.parametrize("last", [b'"2"', b'"2""3"', b'"2","3"', b'2"', b'"a\n\nb"'])
def test_quoted_last_row_needs_no_line_feed(last: bytes) -> None:
    body = b"a\n" + last
    if last.count(b'"') % 2:
        with pytest.raises(Retriable, match=r"^x: the body ends before its last row is complete$"):
            rows_of(CsvRows("x"), body, [])
    else:
        expected = list(csv.reader(io.StringIO(body.decode(), newline="")))[1:]
        assert rows_of(CsvRows("x"), body, []) == expected


def test_html_after_white_space_is_not_csv() -> None:
    with pytest.raises(Retriable, match=r"^x: the body is not CSV$"):
        rows_of(CsvRows("x"), b"  \t<html> \n", [])


def test_field_beyond_the_limit_is_an_error_that_names_the_source(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = csv.field_size_limit()
    monkeypatch.setattr(streaming, "MAX_ROW_BYTES", 100)
    try:
        with pytest.raises(
            SyncFailed, match=r"^x: the body cannot be parsed as CSV: field larger than"
        ):
            CsvRows("x").push(b"a\n" + b"1" * 101 + b"\n")
    finally:
        csv.field_size_limit(before)


@pytest.mark.parametrize("start", [b"", b"[", b'[{"a":1},', b'[{"a":1}'])
def test_json_of_white_space_without_end_is_an_error(
    start: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "MAX_ROW_BYTES", 10_000)
    parser = JsonRows(msgspec.json.decode, "x")
    with pytest.raises(Retriable, match=r"^x: a row is longer than 0 MiB$"):
        list(parse_rows(chain([start], repeat(b" \n" * 5000, 200)), parser))


@pytest.mark.parametrize("start", [b"", b"a,b\n", b"a,b\n1,2\n"])
def test_csv_of_empty_lines_without_end_is_an_error(
    start: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "MAX_ROW_BYTES", 10_000)
    endless = chain([start], repeat(b"\r\n" * 5000, 200))
    with pytest.raises(Retriable, match=r"^x: a row is longer than 0 MiB$"):
        list(parse_rows(endless, CsvRows("x")))


@pytest.mark.parametrize("last", [rb'{"a":"\ud800"}', b'{"a":"\xff"}'])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_last_rows_of_a_download_may_have_invalid_unicode(last: bytes, size: int) -> None:
    """A body whose last piece has complete rows in front of them."""
    body = b'[{"a":"x"},' + last + b"," + last + b" ] "
    parser = JsonRows(msgspec.json.decode, "x")
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    rows = [row for batch in parse_rows(parts, parser) for row in batch]
    assert rows == [{"a": "x"}, {"a": "\ufffd"}, {"a": "\ufffd"}]


@given(
    st.text(st.sampled_from('a",\n'), max_size=30),
    st.lists(st.integers(0, 40), max_size=4),
)
def test_csv_with_quotes_anywhere_is_read_like_the_csv_module_or_refused(
    text: str, cuts: list[int]
) -> None:
    """Where a quote in a field is not doubled, a row must not be cut in the middle of a field."""
    body = f"a,b\n{text}\n".encode()
    try:
        rows = rows_of(CsvRows("x"), body, cuts)
    except (Retriable, SyncFailed):
        return
    expected = list(filter(None, csv.reader(io.StringIO(body.decode(), newline="\n"))))
    assert rows == expected[1:]


def test_quote_in_a_field_that_is_not_doubled_is_an_error() -> None:
    body = b'size,note\n5" pipe,x\n1,"two\nlines"\n'
    with pytest.raises(SyncFailed) as caught:
        rows_of(CsvRows("the export"), body, [30])
    problem = "the body cannot be parsed as CSV: a quote in a field is not doubled"
    assert str(caught.value) == f"the export: {problem}"


@pytest.mark.parametrize("body", [b"a,b,c\n1,2,3\n4,5", b"a,b\n1", b"a,b\r1,2\r3"])
def test_csv_that_ends_before_its_last_cell_is_incomplete(body: bytes) -> None:
    """The length of the body can be right: it was cut before it was sent."""
    with pytest.raises(Retriable, match="x: the body ends before its last row is complete"):
        rows_of(CsvRows("x"), body, [])


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (b"a,b,c\n1,2\n", [["1", "2"]]),
        (b"a,b\r1\r", [["1"]]),
        (b"a,b\n1,2,3", [["1", "2", "3"]]),
        (b"a\n1", [["1"]]),
        (b"a,b", []),
    ],
)
def test_short_row_that_ends_with_a_line_is_complete(body: bytes, rows: list[list[str]]) -> None:
    assert rows_of(CsvRows("x"), body, []) == rows


@pytest.mark.parametrize("row", [rb'"say \"yes\"",2', rb'"a"b,2', rb'"a" ,2'], ids=str)
def test_quote_that_is_not_doubled_changes_no_text(row: bytes) -> None:
    with pytest.raises(SyncFailed, match="a quote in a field is not doubled"):
        rows_of(CsvRows("x"), b"a,b\n" + row + b"\n", [])


def test_text_in_utf_16_without_a_mark_is_not_csv() -> None:
    with pytest.raises(Retriable, match="x: the body is not CSV"):
        rows_of(CsvRows("x"), "a,b\n1,2\n".encode("utf-16-le"), [])
