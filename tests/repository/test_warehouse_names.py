"""Names and keys of all streams in warehouses: reserved words, and the lengths of text keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from tests.repository.test_schemas import streams_of
from tools.workspace import EXAMPLE, ROOT, TAPS

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).with_name("reserved_words")
LISTS = ("bigquery", "mysql", "postgresql", "redshift", "snowflake", "sql_server")
DUCKDB_KINDS = {"reserved", "type_function"}  # words of the others can be names of columns
MIN_WORDS = 70

# Names that are reserved somewhere. They are the names of the vendor, or of tables that are
# loaded already, and targets quote them. Queries must quote them too: docs/columns.md lists them.
RESERVED = {
    "tap-khoros-analytics": {"user": "postgresql redshift sql_server"},
    "tap-kissmetrics": {
        "identity": "redshift sql_server",
        "index": "mysql sql_server",
        "row_number": "mysql",
        "timestamp": "redshift",
        "values": "mysql snowflake sql_server",
    },
}
# A column of `varchar(255)` can be a part of a key in every warehouse. MySQL, which has the
# smallest limit, indexes 768 characters.
MAX_KEY_LENGTH = 255
# Ids that the vendor makes. No source says how long they can be, so the schema must not promise
# it: a target would refuse or shorten a longer one.
VENDORS_KEYS = {
    ("tap-khoros-analytics", "conversation", "conversation_id"),
    ("tap-khoros-analytics", "timezones", "id"),
    ("tap-kindmetrics", "account", "email"),
    ("tap-kissmetrics", "accounts", "id"),
    ("tap-kissmetrics", "events", "id"),
    ("tap-kissmetrics", "metrics", "id"),
    ("tap-kissmetrics", "products", "id"),
    ("tap-kissmetrics", "properties", "id"),
    ("tap-kissmetrics", "reports", "id"),
}


def reserved_words() -> dict[str, set[str]]:
    """Return the reserved words of each warehouse, in lower case."""
    words = {}
    for name in LISTS:
        head, *lines = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        assert head.startswith("# ")
        assert " on 2026-" in head  # the day on which the source was read
        words[name] = set(" ".join(lines).split())
    query = "SELECT keyword_name, keyword_category FROM duckdb_keywords()"
    found = duckdb.connect().execute(query).fetchall()
    words["duckdb"] = {word for word, category in found if category in DUCKDB_KINDS}
    return words


def names_of(tap: Path) -> set[str]:
    """Return the names of all streams and fields of a tap."""
    streams = streams_of(tap)
    return {name for s in streams for name in (s.name, *s.schema["properties"])}


@pytest.mark.parametrize("tap", [*TAPS, EXAMPLE], ids=lambda tap: tap.name)
def test_no_name_is_reserved_except_known_ones(tap: Path) -> None:
    words = reserved_words()
    found = {
        name: " ".join(sorted(warehouse for warehouse in words if name in words[warehouse]))
        for name in names_of(tap)
    }
    assert {name: where for name, where in found.items() if where} == RESERVED.get(tap.name, {})


def test_page_lists_reserved_names() -> None:
    page = (ROOT / "docs" / "columns.md").read_text(encoding="utf-8")
    (line,) = [line for line in page.splitlines() if "reserved words" in line]
    for name in (name for names in RESERVED.values() for name in names):
        assert f"`{name}`" in line


def test_lists_are_whole() -> None:
    for warehouse, words in reserved_words().items():
        assert {"select", "from", "where", "table"} - words <= {"table"}, warehouse
        assert len(words) > MIN_WORDS, warehouse


def text_keys(tap: Path) -> Iterator[tuple[tuple[str, str, str], int | None]]:
    """Yield each text that is a part of a key, and its greatest length."""
    for stream in streams_of(tap):
        for key in stream.primary_keys:
            schema = stream.schema["properties"][key]
            if "string" in schema["type"] and "format" not in schema:
                yield (tap.name, stream.name, key), schema.get("maxLength")


@pytest.mark.parametrize("tap", TAPS, ids=lambda tap: tap.name)
def test_text_keys_that_the_tap_makes_have_a_maximum(tap: Path) -> None:
    unlimited = {place for place, length in text_keys(tap) if length is None}
    assert unlimited == {place for place in VENDORS_KEYS if place[0] == tap.name}
    assert all((length or 0) <= MAX_KEY_LENGTH for _, length in text_keys(tap))
