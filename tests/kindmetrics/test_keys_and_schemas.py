"""Rows are valid in their schema; keys are unique and never null."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft7Validator, FormatChecker
from sandbox.kindmetrics import Kindmetrics
from sandbox.server import running

from tests.kindmetrics.responses import Responses
from tests.kindmetrics.site import LAST, NOW, STREAMS, TOKEN, Site

if TYPE_CHECKING:
    from tests.kindmetrics.conftest import Serve
    from tests.singer import Output, Row

NATURAL_KEYS = {
    "pages": ["address"],
    "entry_pages": ["address"],
    "sources": ["source", "medium"],
    "referrers": ["url", "domain"],
    "countries": ["name"],
    "goals": ["name", "kind"],
}
FORMATS = FormatChecker(["date"])


@FORMATS.checks("date-time", ValueError)
def is_date_time(value: object) -> bool:
    """Return whether it is a date-time with an offset; jsonschema itself does not check it."""
    return datetime.fromisoformat(str(value)).tzinfo is not None


SEGMENTS = [{"name": "all"}, {"name": "Schweden 🇸🇪", "country": "SE"}]


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Output:
    """The output of one run, which these tests share."""
    api = Kindmetrics(token=TOKEN, now=NOW, domains=3, visitors_per_day=40, pages_per_day=20)
    with running(api.app) as server:
        site = Site(api, server.url, tmp_path_factory.mktemp("keys"))
        return site.sync(segments=SEGMENTS, start_date="2024-02-03", end_date=LAST.isoformat())


def test_every_record_is_valid_in_the_schema_of_its_stream(output: Output) -> None:
    validators = {
        message["stream"]: Draft7Validator(
            {**message["schema"], "additionalProperties": False}, format_checker=FORMATS
        )
        for message in output.messages
        if message["type"] == "SCHEMA"
    }
    for stream, validator in validators.items():
        for row in output.rows(stream):
            assert [error.message for error in validator.iter_errors(row)] == []


@pytest.mark.parametrize(
    ("value", "form"),
    [("2024-02-30", "date"), ("2024-02-03T00:00:00", "date-time"), ("yesterday", "date-time")],
)
def test_the_format_checker_rejects_invalid_values(value: str, form: str) -> None:
    assert not FORMATS.conforms(value, form)


def test_every_record_has_all_fields_of_the_schema(output: Output) -> None:
    for message in output.messages:
        if message["type"] == "SCHEMA":
            for row in output.rows(message["stream"]):
                assert list(row) == list(message["schema"]["properties"])


def test_keys_are_unique_and_never_null(output: Output) -> None:
    keys = {m["stream"]: m["key_properties"] for m in output.messages if m["type"] == "SCHEMA"}
    assert sorted(keys) == STREAMS
    for stream, fields in keys.items():
        values = [tuple(row[field] for field in fields) for row in output.rows(stream)]
        assert values, stream
        assert not any(part is None or part == "" for value in values for part in value)
        assert len(set(values)) == len(values), stream


@pytest.mark.parametrize("stream", NATURAL_KEYS)
def test_the_row_id_is_the_hash_that_the_schema_describes(output: Output, stream: str) -> None:
    for row in output.rows(stream):
        owner = [row["domain_id"], row["segment"], row["date"]]
        assert row["row_id"] == hashed([*owner, *(row[field] for field in NATURAL_KEYS[stream])])


@pytest.mark.parametrize(
    ("stream", "field"),
    [
        ("pages", "address"),
        ("entry_pages", "address"),
        ("sources", "medium"),
        ("referrers", "url"),
        ("referrers", "domain"),
        ("countries", "name"),
    ],
)
def test_null_parts_of_a_key_differ_from_empty_texts(
    output: Output, stream: str, field: str
) -> None:
    rows = output.rows(stream)
    assert any(row[field] is None for row in rows)
    same_but_null = Counter(_without(row, "row_id") for row in rows)
    assert max(same_but_null.values()) == 1


def test_two_rows_with_the_same_natural_key_have_different_row_ids() -> None:
    unnamed: list[dict[str, Any]] = [
        {"name": None, "visitors": 3, "percentage": 50},
        {"name": "Sweden", "visitors": 2, "percentage": 30},
        {"name": None, "visitors": 1, "percentage": 20},
    ]
    with Responses({"/api/domains/1/countries": unnamed}) as server:
        rows = server.sync("countries").rows("countries")
    assert [row["visitors"] for row in rows] == [3, 2, 1]
    owner = [1, "all", "2024-02-01"]
    assert [row["row_id"] for row in rows] == [
        hashed([*owner, None]),
        hashed([*owner, "Sweden"]),
        hashed([*owner, None, 2]),
    ]


def test_a_longer_last_window_keeps_its_keys(serve: Serve) -> None:
    """The last window ends at ``end_date``. With a later end, its rows replace the old ones."""
    site = serve()
    short, long = (
        site.sync("pages", window_days=7, start_date="2024-02-01", end_date=end)
        for end in ("2024-02-03", "2024-02-05")
    )
    assert {row["date_to"] for row in short.rows("pages")} == {"2024-02-03"}
    assert {row["date_to"] for row in long.rows("pages")} == {"2024-02-05"}
    assert _ids(short) <= _ids(long)


def test_texts_are_written_unchanged(serve: Serve) -> None:
    site = serve(domains=1, visitors_per_day=200, pages_per_day=20)
    addresses = {row["address"] for row in site.sync("pages").rows("pages")}
    odd = {"/日本語/ページ", "/party/🎉", "/quote\"s/and/it's", "/line\nbreak", "", "null", None}
    assert odd <= addresses


@pytest.mark.parametrize("key", ["", "x" * 5000, "\u2028", "\x7f", "\U0001d4b3"])
def test_any_natural_key_has_a_short_row_id(key: str) -> None:
    body = [{"address": key, "visitors": 1, "percentage": 100}]
    with Responses({"/api/domains/1/pages": body}) as server:
        (row,) = server.sync("pages").rows("pages")
    assert row["address"] == key
    assert row["row_id"] == hashed([1, "all", "2024-02-01", key])
    assert len(row["row_id"]) == 32


def hashed(values: list[object]) -> str:
    """Return 128-bit BLAKE2b in hex over the compact JSON array, with the standard library only."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _without(row: Row, field: str) -> tuple[tuple[str, Any], ...]:
    return tuple((name, repr(value)) for name, value in row.items() if name != field)


def _ids(output: Output) -> set[str]:
    return {row["row_id"] for row in output.rows("pages")}
