"""A gzip file is decompressed completely or is an error, however its bytes are split."""

from __future__ import annotations

import gzip
import time
from typing import TYPE_CHECKING

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st
from tap_kit.errors import Retriable
from tap_kit.net.http import Request
from tap_kit.net.wire import PIECE_BYTES, gunzip

from tests.kit.apis import Reply, client, serving

if TYPE_CHECKING:
    from collections.abc import Sequence

# About as long as the output of one call of zlib, which may keep some bytes back.
FULL = st.integers(-260, 260).map(lambda more: b"a" * (2 * PIECE_BYTES + more))
CONTENTS = st.lists(st.binary(max_size=200) | FULL, min_size=1, max_size=2)


def in_pieces(body: bytes, sizes: Sequence[int]) -> list[bytes]:
    """Return a body split into pieces of these sizes, repeatedly."""
    pieces, place, count = [], 0, 0
    while place < len(body):
        size = sizes[count % len(sizes)]
        pieces.append(body[place : place + size])
        place, count = place + size, count + 1
    return pieces


SIZES = st.lists(st.integers(1, 5000), min_size=1, max_size=5)


@given(contents=CONTENTS, sizes=SIZES, padding=st.integers(0, 40))
def test_any_gzip_content_is_decompressed(
    contents: list[bytes], sizes: list[int], padding: int
) -> None:
    packed = b"".join(map(gzip.compress, contents)) + b"\0" * padding
    found = list(gunzip(in_pieces(packed, sizes)))
    assert b"".join(found) == b"".join(contents)
    assert all(0 < len(piece) <= PIECE_BYTES for piece in found)


@given(content=st.binary(max_size=2000), sizes=SIZES, data=st.data())
def test_truncated_file_is_an_error(content: bytes, sizes: list[int], data: st.DataObject) -> None:
    packed = gzip.compress(content)
    cut = packed[: data.draw(st.integers(0, len(packed) - 1))]
    with pytest.raises(urllib3.exceptions.DecodeError):
        list(gunzip(in_pieces(cut, sizes)))


def test_member_after_padding_is_decompressed() -> None:
    pieces = [gzip.compress(b"a") + b"\0\0", b"\0", gzip.compress(b"b"), b"\0" * 3]
    assert b"".join(gunzip(pieces)) == b"ab"


@pytest.mark.parametrize("body", [b"<html>", b"a,b\n1,2\n", gzip.compress(b"a", mtime=0) + b"more"])
def test_file_that_is_not_gzip_is_an_error(body: bytes) -> None:
    with pytest.raises(urllib3.exceptions.DecodeError):
        list(gunzip([body]))


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", " GZIP "])
def test_truncated_download_is_retriable(encoding: str) -> None:
    """A CSV file that ends between two rows would lose data silently."""
    rows = b"".join(b"%d,some text\n" % number for number in range(5000))
    half = gzip.compress(rows)[:-9]
    reply = Reply(body=half, headers={"Content-Encoding": encoding})
    with (
        serving(reply) as server,
        client(server.url) as api,
        pytest.raises(Retriable) as caught,
    ):
        list(api.open(Request("/file")))
    assert str(caught.value) == "GET /file: the response's compression is invalid"


def test_members_without_content_take_linear_time() -> None:
    """Zlib copies what follows a member, which for small members in a large piece is quadratic."""
    packed = gzip.compress(b"", mtime=0) * 50_000
    began = time.process_time()
    assert list(gunzip([packed])) == []
    assert time.process_time() - began < 3
