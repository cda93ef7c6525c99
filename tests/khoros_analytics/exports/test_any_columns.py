"""Columns of any names, rows in any pieces: valid fields, and the same rows each time."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tap_khoros_analytics.exports.bodies import CsvCells, FieldNames, JsonCells
from tap_khoros_analytics.exports.columns import (
    OWN_FIELDS,
    columns_from,
    columns_of,
    schema_of,
)
from tap_kit.errors import Retriable
from tap_kit.rows.json_rows import JsonRows
from tap_kit.rows.names import MAX_NAME_LENGTH
from tap_kit.rows.streaming import parse_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

EXPORT = "author"
LOGGER = logging.getLogger("tap-khoros-analytics")
IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")
NAMES = st.lists(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
    | st.sampled_from(["Author Id", "AUTHOR_ID", "authorId", "Row Id", "window start", "x" * 90]),
    min_size=1,
    max_size=8,
)


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
CUTS = st.lists(st.integers(0, 600), max_size=6)


def pieces(body: bytes, cuts: list[int]) -> Iterator[bytes]:
    """Return the body in pieces, cut at ``cuts``."""
    places = sorted({0, *(min(cut, len(body)) for cut in cuts), len(body)})
    for begin, end in pairwise(places):
        yield body[begin:end]


@given(names=NAMES)
def test_fields_are_distinct_identifiers(names: list[str]) -> None:
    columns = columns_from(EXPORT, names)
    fields = [column.field for column in columns]
    assert len({*fields, *OWN_FIELDS}) == len(fields) + len(OWN_FIELDS)
    assert all(IDENTIFIER.fullmatch(field) and len(field) <= MAX_NAME_LENGTH for field in fields)
    assert len(columns) == len(names)


@given(names=NAMES)
def test_columns_survive_the_way_through_a_catalog(names: list[str]) -> None:
    columns = columns_from(EXPORT, names)
    schema = schema_of(columns, title="t", key=("row_id",), has_report_type=False)
    again = columns_of(EXPORT, json.loads(json.dumps(schema)))
    assert [(c.field, c.metric) for c in again] == [(c.field, c.metric) for c in columns]


@given(names=NAMES, more=NAMES)
def test_additional_columns_do_not_change_earlier_fields(names: list[str], more: list[str]) -> None:
    before = [column.field for column in columns_from(EXPORT, names)]
    after = [column.field for column in columns_from(EXPORT, [*names, *more])]
    assert after[: len(before)] == before


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    """Draw a header of any names, and rows."""
    names = draw(st.lists(st.sampled_from(HEADER), min_size=1, max_size=5, unique=True))
    row = st.lists(CELLS, min_size=len(names), max_size=len(names))
    return names, draw(st.lists(row, max_size=6))


HEADER = [
    *("Author Id", "AUTHOR_ID", "authorId", "Name", "Größe", "reply: time (s)", '"quoted"', "中"),
    *("a,b", "SLA %", "SLA #", "Region", "REGION", "sla_2", ""),
]


@given(table=tables(), cuts=CUTS, is_csv=st.booleans())
def test_rows_do_not_depend_on_the_pieces_of_the_body(
    table: tuple[list[str], list[list[str]]],
    cuts: list[int],
    is_csv: bool,  # noqa: FBT001
) -> None:
    header, rows = table
    schema = schema_of(columns_from(EXPORT, header), title="", key=(), has_report_type=False)
    columns = sorted(columns_of(EXPORT, schema), key=lambda column: column.field)
    fields = [column.field for column in columns]
    order = [header.index(name) for name in _names_of(header, fields)]
    parser, body = _parser_and_body(fields, columns, header, rows, is_csv=is_csv)
    found = [tuple(cells) for batch in parse_rows(pieces(body, cuts), parser) for cells in batch]
    null = None if is_csv else ""
    assert found == [tuple(row[place] or null for place in order) for row in rows]


def _names_of(header: list[str], fields: list[str]) -> list[str]:
    by_field = {columns_from(EXPORT, header)[n].field: name for n, name in enumerate(header)}
    return [by_field[field] for field in fields]


def _parser_and_body(
    fields: list[str], columns: Any, header: list[str], rows: list[list[str]], *, is_csv: bool
) -> tuple[Any, bytes]:
    names = FieldNames(EXPORT, columns, LOGGER)
    if not is_csv:
        objects = [dict(zip(header, row, strict=True)) for row in rows]
        body = json.dumps(objects, ensure_ascii=False).encode()
        return JsonRows(JsonCells(fields, names).decode, "the export"), body
    text = io.StringIO(newline="")
    csv.writer(text, "unix").writerows([header, *rows])
    return CsvCells(fields, names, "the export"), text.getvalue().encode()


@given(header=NAMES, cells=st.data(), is_csv=st.booleans())
def test_discovery_and_reading_agree_on_any_header(
    header: list[str],
    cells: st.DataObject,
    is_csv: bool,  # noqa: FBT001
) -> None:
    if not is_csv:
        header = [*dict.fromkeys(header)]
    columns = columns_from(EXPORT, header)
    row = cells.draw(st.lists(CELLS, min_size=len(header), max_size=len(header)))
    fields = [column.field for column in columns]
    names = FieldNames(EXPORT, columns, LOGGER)
    assert names.places(header) == {field: place for place, field in enumerate(fields)}
    assert len(row) == len(fields)


@given(body=st.binary(max_size=60), cuts=CUTS)
def test_a_body_that_is_not_a_list_can_be_retried(body: bytes, cuts: list[int]) -> None:
    columns = columns_from(EXPORT, HEADER)
    decode = JsonCells(
        [column.field for column in columns], FieldNames(EXPORT, columns, LOGGER)
    ).decode
    assume(not body.lstrip().startswith(b"["))
    with pytest.raises(Retriable):
        list(parse_rows(pieces(body, cuts), JsonRows(decode, "the export")))
