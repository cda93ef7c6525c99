"""The queries of docs/targets.md return the newest row of each key from what the targets write."""

from __future__ import annotations

import gzip
import json
import re
from typing import TYPE_CHECKING

import duckdb
import pytest

from tools.pages.target_page import PAGE

if TYPE_CHECKING:
    from pathlib import Path

QUERIES = re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
FIRST = [{"row_id": "a", "views": 1}, {"row_id": "b", "views": 2}]
SECOND = [{"row_id": "b", "views": 3}, {"row_id": "c", "views": 4}, {"row_id": "b", "views": 5}]
NEWEST = [("a", 1), ("b", 5), ("c", 4)]


def _messages(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    schema: dict[str, object] = {
        "type": "SCHEMA",
        "stream": "pages",
        "schema": {"properties": {"row_id": {}}},
    }
    records: list[dict[str, object]] = [
        {"type": "RECORD", "stream": "pages", "record": row} for row in rows
    ]
    return [schema, *records]


def _text(rows: list[dict[str, object]]) -> bytes:
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


@pytest.mark.parametrize(
    ("place", "files"),
    [
        ("pages.jsonl", {"pages.jsonl": _text([*FIRST, *SECOND])}),
        ("pages/*'", {"1.jsonl": _text(FIRST), "2.jsonl.gz": gzip.compress(_text(SECOND))}),
        (
            "*.singer.gz",
            {
                "pages-1.singer.gz": gzip.compress(_text(_messages(FIRST))),
                "pages-2.singer.gz": gzip.compress(_text(_messages(SECOND))),
            },
        ),
    ],
)
def test_query_returns_the_newest_row_of_each_key(
    tmp_path: Path, place: str, files: dict[str, bytes]
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    (query,) = (query for query in QUERIES if place in query)
    local = re.sub(r"read_json\('[^']*/", f"read_json('{tmp_path}/", query)
    with duckdb.connect() as database:
        assert sorted(database.execute(local).fetchall()) == NEWEST


def test_every_query_is_tested() -> None:
    assert len(QUERIES) == 3
