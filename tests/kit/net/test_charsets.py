"""Bodies in other charsets become UTF-8."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_kit.net.charsets import Charset, as_utf8, declared_charset
from tap_kit.net.http import Request

from tests.kit.apis import URL, Reply, client, mock_replies

TEXT = "Müller; Жуков; 東京"


@pytest.mark.parametrize(
    ("content_type", "charset"),
    [
        ("text/csv; charset=windows-1252", "cp1252"),
        ('text/csv; charset="ISO-8859-1"; header=present', "iso8859-1"),
        ("text/csv;charset=UTF-16", "utf-16"),
        ("text/csv; charset=Shift_JIS", "shift_jis"),
        ("application/json; charset=utf-16le", "utf-16-le"),
        ("text/csv; charset=utf-8", None),
        ("text/csv; charset=utf8", None),
        ("text/csv; charset=us-ascii", None),
        ("text/csv; charset=base64", None),
        ("text/csv; charset=zlib", None),
        ("text/csv; charset=unicode_escape", None),
        ("text/csv; charset=idna", None),
        ("text/csv; charset=\0", None),
        ("text/csv; charset*=utf-16''x; charset*0=a; charset*1=b", None),
        ("text/csv; charset=", None),
        ("text/csv", None),
        ("", None),
    ],
)
def test_charset_is_taken_from_the_header(content_type: str, charset: str | None) -> None:
    expected = None if charset is None else Charset(charset)
    assert declared_charset({"Content-Type": content_type}) == expected
    assert declared_charset({}) is None


@pytest.mark.parametrize("kind", ["application/json", "application/vnd.api+json"])
def test_charset_of_json_is_only_for_what_is_not_utf8(kind: str) -> None:
    """Many servers declare Latin-1 for JSON, which is UTF-8; a few mean it."""
    charset = declared_charset({"Content-Type": f"{kind}; charset=latin-1"})
    assert charset == Charset("iso8859-1", is_fallback=True)
    for body in ("Müller; 東京".encode(), b'["M\xfcller"]', b"\xe9\xe8t\xe9"):
        text = b"".join(as_utf8([body[:3], body[3:]], charset)).decode()
        assert text == _utf8_or_latin_1(body)


def _utf8_or_latin_1(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("latin-1")


@given(st.text(st.characters(codec="ascii") | st.sampled_from("; =\"'*%\\cs"), max_size=60))
def test_any_header_is_read(content_type: str) -> None:
    declared_charset({"Content-Type": content_type})
    declared_charset({"Content-Type": f"text/csv; charset={content_type}"})


@pytest.mark.parametrize("piece", [";", '"', "; charset=", "\\;", "\u00e9"])
def test_time_for_a_header_is_not_quadratic(piece: str) -> None:
    began = time.process_time()
    declared_charset({"Content-Type": f'text/csv; "{piece * 1_000_000}'})
    assert time.process_time() - began < 1.0


@given(
    st.text(max_size=50),
    st.sampled_from(["utf-16", "utf-32", "utf-16-le", "gb18030"]),
    st.integers(1, 7),
)
def test_text_is_the_same_wherever_its_pieces_end(text: str, charset: str, size: int) -> None:
    body = text.encode(charset)
    pieces = (body[start : start + size] for start in range(0, len(body), size))
    assert b"".join(as_utf8(pieces, Charset(charset))).decode() == text


@given(st.binary(max_size=50), st.sampled_from(["cp1252", "shift_jis", "utf-16", "euc_jp"]))
def test_any_bytes_become_valid_text(body: bytes, charset: str) -> None:
    b"".join(as_utf8([body], Charset(charset))).decode()


@pytest.mark.parametrize("charset", ["utf-16", "gb18030", "utf-8"])
def test_bodies_are_utf8_whatever_was_declared(charset: str, requests_mock: object) -> None:
    declared = {"Content-Type": f"text/csv; charset={charset}"}
    body = f'["{TEXT}"]'.encode(charset)
    mock_replies(requests_mock, Reply(body=body, headers=declared))  # type: ignore[arg-type]
    with client(URL) as api:
        assert b"".join(api.open(Request("/x"))).decode() == f'["{TEXT}"]'
        assert api.send(Request("/x"), list).value == [TEXT]


@pytest.mark.parametrize("charset", ["utf-16", "utf-32"])
@pytest.mark.parametrize("order", ["le", "be"])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_text_without_a_byte_order_mark_is_decoded(charset: str, order: str, size: int) -> None:
    body = '["a\u20ac"]'.encode(f"{charset}-{order}")
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    assert b"".join(as_utf8(pieces, Charset(charset))).decode() == '["a\u20ac"]'


@pytest.mark.parametrize("name", ["utf-16", "utf-16-be", "utf-32", "utf-32-be"])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_byte_order_mark_declares_a_charset(name: str, size: int) -> None:
    body = f"{'' if name in {'utf-16', 'utf-32'} else chr(0xFEFF)}{TEXT}".encode(name)
    pieces = [body[place : place + size] for place in range(0, len(body), size)]
    assert b"".join(as_utf8(pieces, None)).decode() == TEXT


@pytest.mark.parametrize("body", [b"", b"a", b"\xff", b"\xff\xfe", b"\xffabcdef", b"a\xff\xfe"])
def test_other_bodies_without_a_charset_stay_as_they_are(body: bytes) -> None:
    expected = b"" if body == b"\xff\xfe" else body
    assert b"".join(as_utf8([body], None)) == expected
    assert b"".join(as_utf8([body[:1], body[1:]] if len(body) > 1 else [body], None)) == expected


def test_byte_that_the_other_charset_lacks_is_replaced() -> None:
    charset = Charset("cp1252", is_fallback=True)
    assert (
        b"".join(as_utf8([b'{"a": "M\xfcll\x81er"}'], charset)).decode() == '{"a": "Müll\ufffder"}'
    )
