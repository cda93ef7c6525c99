"""Decode the body of a response: strictly first, then leniently."""

import gzip
import json
import logging
import math
import tracemalloc
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_kit.errors import Retriable, SyncFailed
from tap_kit.net import bodies
from tap_kit.net.bodies import parse_json
from tap_kit.net.exchange import count_memory, take_memory
from tap_kit.net.http import ErrorResponse, Request

from tests.kit.apis import Reply, client, serving

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
    max_leaves=20,
)


@given(value=JSON)
def test_any_json_is_decoded(value: object) -> None:
    assert parse_json(json.dumps(value).encode(), "GET /x") == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode(), "GET /x") == value


@given(body=st.binary(max_size=200))
def test_any_bytes_are_decoded_or_retriable(body: bytes) -> None:
    try:
        parse_json(body, "GET /x")
    except Retriable as error:
        assert str(error).startswith("GET /x: ")  # noqa: PT017


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(rb'["\ud800"]', ["\ufffd"], id="lone high surrogate"),
        pytest.param(rb'["a\udfffb"]', ["a\ufffdb"], id="lone low surrogate"),
        pytest.param(rb'["\udc00\ud800"]', ["\ufffd\ufffd"], id="surrogates in reverse order"),
        pytest.param(rb'["\ud83d\ude00\ud83d"]', ["😀\ufffd"], id="pair, then a lone surrogate"),
        pytest.param(rb'{"\ud800":[{"a":"\ud800"}]}', {"\ufffd": [{"a": "\ufffd"}]}, id="nested"),
        pytest.param(b'["caf\xe9"]', ["caf\ufffd"], id="Latin-1"),
        pytest.param(b'["\xed\xa0\x80"]', ["\ufffd\ufffd\ufffd"], id="surrogate in UTF-8"),
        pytest.param(b"\xef\xbb\xbf[1]", [1], id="byte-order mark"),
    ],
)
def test_invalid_unicode_is_replaced_with_a_warning(
    body: bytes, expected: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert parse_json(body, "GET /x") == expected
    json.dumps(expected, ensure_ascii=False).encode()  # can be encoded again
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert caplog.messages == ["GET /x: replaced invalid Unicode in the response with U+FFFD"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"  \n", id="white space"),
        pytest.param(b'[{"a": 1}, {"b"', id="half of a response"),
        pytest.param(b"[1] [2]", id="two values"),
        pytest.param(b"NaN", id="NaN"),
        pytest.param(b"[1, NaN]", id="NaN inside"),
        pytest.param(b"[Infinity, -Infinity]", id="infinities"),
        pytest.param(b"[1e400]", id="beyond a double"),
        pytest.param(b"[-1e999]", id="beyond a double, negative"),
        pytest.param(b"{'a': 1}", id="single quotes"),
        pytest.param(b'["a\nb"]', id="raw line feed in a string"),
        pytest.param("[1]".encode("utf-16"), id="UTF-16"),
        pytest.param(b"\x1f\x8b\x08\x00", id="gzip"),
        pytest.param(b"[" * 200_000, id="deeply nested, not closed"),
        pytest.param(b"[" * 200_000 + b"]" * 200_000, id="deeply nested"),
        pytest.param(
            b'{"a":' * 5_000 + b'"\xff"' + b"}" * 5_000, id="deeply nested, invalid UTF-8"
        ),
        pytest.param(b"[" * 600 + b'"\xff"' + b"]" * 600, id="too deep to replace surrogates"),
        pytest.param(b"[" + b"9" * 5_000 + b"]", id="5000 digits"),
    ],
)
def test_invalid_json_is_retriable(body: bytes) -> None:
    try:
        value = parse_json(body, "GET /x")
    except Retriable as error:
        text = str(error)
    else:  # deep nesting is valid; whether it can be decoded depends on the machine
        assert b"[" * 600 in body, value
        return
    assert text == f"GET /x: the response is not JSON ({len(body)} bytes)"


def test_html_is_named_and_not_quoted() -> None:
    page = b" \n<!DOCTYPE html><p>session=secret</p>"
    with pytest.raises(Retriable) as caught:
        parse_json(page, "GET /x")
    assert str(caught.value) == f"GET /x: the response is not JSON ({len(page)} bytes, HTML)"


@pytest.mark.parametrize("number", [2**63, 2**64, -(2**63) - 1, 10**40])
def test_integers_of_any_size_are_exact(number: int) -> None:
    value = parse_json(f"[{number}]".encode(), "GET /x")
    assert value == [number]
    assert type(value[0]) is int


def test_integers_are_exact_next_to_invalid_unicode() -> None:
    assert parse_json(b'[9007199254740993, 1.5, "\xff"]', "GET /x")[:2] == [2**53 + 1, 1.5]


def test_lenient_decoding_rejects_infinity() -> None:
    with pytest.raises(Retriable):
        parse_json(b'[1e400, "\xff"]', "GET /x")
    assert math.isfinite(parse_json(b'[1e300, "\xff"]', "GET /x")[0])


def value_by_python(body: bytes) -> object:
    """Return what Python's decoder makes of a body, with its invalid Unicode replaced."""

    def valid(value: object) -> object:
        if isinstance(value, str):
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if isinstance(value, list):
            return [valid(one) for one in value]
        if isinstance(value, dict):
            return {valid(key): valid(one) for key, one in value.items()}
        return value

    return valid(json.loads(body.decode("utf-8-sig", errors="replace")))


PARTS = [rb"\ud83d", rb"\uDE00", rb"\\", rb"\"", rb"\u0041", b"u", b"d83d", b"\xff", b"\xf0\x9f"]
TEXTS = st.lists(st.sampled_from([*PARTS, "😀é".encode()]) | st.binary(max_size=2), max_size=20)


@given(texts=st.lists(TEXTS, min_size=1), size=st.integers(1, 20))
def test_repaired_body_is_what_python_reads(texts: list[list[bytes]], size: int) -> None:
    body = b"[" + b",".join(b'"%b"' % b"".join(text) for text in texts) + b"]"
    with patch.object(bodies, "_PIECE_BYTES", size):
        try:
            found = json.loads(bodies.valid_unicode(body))
        except ValueError:
            with pytest.raises(ValueError, match=r"."):
                value_by_python(body)
        else:
            assert found == value_by_python(body)


def test_repair_takes_little_memory() -> None:
    body = b'["' + "😀".encode() + rb"aa\ud800" * 100_000 + b'"]'
    tracemalloc.start()
    try:
        bodies.valid_unicode(body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * len(body) + (1 << 25)


def test_large_body_of_invalid_bytes_is_not_json() -> None:
    body = b'["' + b"\xff" * (2 << 20) + b'"]'
    with pytest.raises(Retriable, match="is not JSON"):
        parse_json(body, "GET /x")


def test_memory_of_a_response_is_the_sum_of_its_parts() -> None:
    take_memory()
    for size in (3, 4):
        count_memory(size)
    assert (take_memory(), take_memory()) == (7, 0)


def test_reason_in_a_compressed_body_is_read() -> None:
    reasons = []

    def mapped(response: ErrorResponse) -> Exception:
        reasons.append(response.detail)
        return SyncFailed("refused")

    reply = Reply(400, gzip.compress(b"no such field"), {"Content-Encoding": "gzip"})
    with (
        serving(reply) as server,
        client(server.url, error_for=mapped) as api,
        pytest.raises(SyncFailed, match="refused"),
    ):
        api.send(Request("/x"), list)
    assert reasons == ["no such field"]
