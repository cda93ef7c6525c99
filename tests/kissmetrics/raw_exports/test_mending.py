"""Lines that are not JSON are mended; an independent model says what they must become."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_kissmetrics.raw_exports.decoding import decode
from tap_kissmetrics.raw_exports.mending import mend

UNDEFINED = {0x81, 0x8D, 0x8F, 0x90, 0x9D}  # bytes without a character in Windows-1252
ESCAPES = {'"': '"', "\\": "\\", "/": "/"} | dict(zip("bfnrt", "\b\f\n\r\t", strict=True))


@pytest.mark.parametrize(
    ("text", "mended", "kinds"),
    [
        (rb"\302\243 5", "\u00a3 5", "octal_utf_8"),
        (rb"Somebody\231", "Somebody\u2122", "octal_windows_1252"),
        (rb"\303\251t\351", "\u00e9t\u00e9", "octal_utf_8, octal_windows_1252"),
        (rb"\302\243\243", "\u00c2\u00a3\u00a3", "octal_windows_1252"),
        (rb"\042\134\012", '"\\\n', "octal_utf_8"),
        (rb"\201", "\x81", "octal_windows_1252"),
        (rb"C:\Temp\q", "C:\\Temp\\q", "escape"),
        (rb"it\'s", "it\\'s", "escape"),
        (rb"\777 \12 \8", "\\777 \\12 \\8", "escape"),
        (rb"\u12", "\\u12", "escape"),
        (rb"\\302\\243 \q", "\\302\\243 \\q", "escape"),
        (rb"\ud83d\udc4d \ud83d", "\U0001f44d \ufffd", "surrogate"),
        (b"a\tb\x00", "a\tb\x00", "control"),
        (b"caf\xe9 \x93x\x94", "caf\u00e9 \u201cx\u201d", "windows_1252"),
    ],
)
def test_string_is_mended(text: bytes, mended: str, kinds: str) -> None:
    line = b'{"_p": "a", "name": "' + text + b'"}'
    found = decode([line])
    assert found.records == [{"_p": "a", "name": mended}]
    assert found.mended == {0: kinds}


@pytest.mark.parametrize(
    "line",
    [
        b'{"a": "\\"b\\\\ \\u00e9 \\ud83d\\udc4d"}',
        '{"a": "\u00e9\U0001f44d"}'.encode(),
        b'{"a":\t1}',
    ],
)
def test_json_is_not_changed(line: bytes) -> None:
    assert mend(line) == (line, "")
    assert decode([line]).mended == {}


@pytest.mark.parametrize(
    "line", [b'"' + b'\\"' * 200_000, b'{"a": "' + b"\\" * 400_001, b"{" + b'"' * 99]
)
def test_work_is_linear(line: bytes) -> None:
    assert decode([line]).reasons == {0: "is not JSON"}


# The model reads one character at a time.


def modelled(content: bytes) -> str:
    """Return the text of the content of a string, by a reader of single characters."""
    text, place, out = content.decode("utf-8", "surrogateescape"), 0, ""
    while place < len(text):
        character = text[place]
        if 0xDC80 <= ord(character) <= 0xDCFF:
            out += of_byte(ord(character) - 0xDC00)
            place += 1
        elif character != "\\":
            out += character
            place += 1
        else:
            found, place = modelled_escape(text, place)
            out += found
    return out


def modelled_escape(text: str, place: int) -> tuple[str, int]:
    octets = []
    while is_octal(text[place : place + 4]):
        octets.append(int(text[place + 1 : place + 4], 8))
        place += 4
    if octets:
        try:
            return bytes(octets).decode(), place
        except UnicodeDecodeError:
            return "".join(map(of_byte, octets)), place
    following = text[place + 1 : place + 2]
    if following in ESCAPES:
        return ESCAPES[following], place + 2
    unit = unit_at(text, place)
    if unit is None:
        return "\\", place + 1
    low = unit_at(text, place + 6)
    if 0xD800 <= unit < 0xDC00 and low is not None and 0xDC00 <= low < 0xE000:
        return chr(0x10000 + (unit - 0xD800) * 0x400 + low - 0xDC00), place + 12
    return "\ufffd" if 0xD800 <= unit < 0xE000 else chr(unit), place + 6


def is_octal(text: str) -> bool:
    return len(text) == 4 and text[0] == "\\" and text[1] in "0123" and {*text[2:]} <= {*"01234567"}


def unit_at(text: str, place: int) -> int | None:
    digits = text[place + 2 : place + 6]
    is_unit = text[place : place + 2] == "\\u" and len(digits) == 4
    return int(digits, 16) if is_unit and {*digits} <= {*"0123456789abcdefABCDEF"} else None


def of_byte(octet: int) -> str:
    return chr(octet) if octet in UNDEFINED else bytes([octet]).decode("cp1252")


PIECES = st.sampled_from(
    [
        *(rb"\302\243", rb"\231", rb"\3", rb"\34", rb"\345", rb"\777", rb"\0", rb"\000", rb"\042"),
        *(rb"\\", rb"\"", rb"\/", rb"\n", rb"\q", rb"\u", rb"\u00e9", rb"\ud83d", rb"\udc4d"),
        *(b"\xe9", b"\xc3", b"\xa9", b"\x81", b"\t", b"\x00", b"7", b"u", b"a", b"'", b"{", b","),
        "\u00e9\U0001f44d".encode(),
    ]
)


@given(st.lists(PIECES, max_size=12).map(b"".join))
def test_mended_text_is_that_of_the_model(content: bytes) -> None:
    line = b'{"a": "' + content + b'"}'
    assert decode([line]).records == [{"a": modelled(content)}]


@given(st.lists(st.one_of(PIECES, st.binary(max_size=4))).map(b"".join))
def test_any_bytes_are_an_object_or_a_reject(line: bytes) -> None:
    found = decode([line.replace(b"\n", b"")])
    assert len(found.records) + len(found.reasons) == 1


@given(st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text(), st.lists))
def test_valid_json_stays_what_it_is(value: Any) -> None:
    line = json.dumps({"a": value}).encode()
    found = decode([line])
    if not found.mended:  # of lone surrogates
        assert found.records == [json.loads(line)]
