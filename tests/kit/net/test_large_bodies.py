"""Bodies that are too large, unpack to too much, or have too many values."""

from __future__ import annotations

import gzip
import threading
import zlib
from itertools import product
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_kit.errors import Interrupted, SyncFailed
from tap_kit.net import reading
from tap_kit.net.exchange import set_turn, take_memory
from tap_kit.net.http import Request
from tap_kit.net.reading import BodyReader, memory_of
from tap_kit.net.throttle import Throttle

from tests.kit.apis import Reply, client, serving

LIST = Request("/list")
MIB = 1 << 20


def failure(*replies: Reply, download: bool = False, max_mb: int = 1) -> str:
    """Return the line with which a request fails, and check that it is not retried."""
    with serving(*replies) as server, client(server.url, max_response_mb=max_mb) as api:
        with pytest.raises(SyncFailed) as caught:
            list(api.open(LIST)) if download else api.send(LIST, list)
        assert len(server.seen) == 1, "a retry would take as much again"
    return str(caught.value)


def packed(body: bytes, coding: str = "gzip") -> Reply:
    """Return a compressed reply."""
    content = gzip.compress(body) if coding == "gzip" else zlib.compress(body)
    return Reply(body=content, headers={"Content-Encoding": coding})


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@pytest.mark.parametrize("filler", [b" ", b"[],", b'"' + b"x" * 1000 + b'",'])
def test_body_that_unpacks_to_too_much_is_refused(coding: str, filler: bytes) -> None:
    body = b"[" + filler * (2 * MIB // len(filler)) + b"0]"
    assert failure(packed(body, coding)) == (
        "GET /list: the response is larger than max_response_mb (1)"
    )


def test_plain_body_that_is_too_large_is_refused() -> None:
    reply = Reply(body=b"[" + b" " * MIB + b"]")
    assert failure(reply) == "GET /list: the response is larger than max_response_mb (1)"


@pytest.mark.parametrize("value", [b"[]", b"{}", b"0", b'""', b'{"a":[]}'])
def test_body_with_too_many_values_is_refused(value: bytes) -> None:
    count = 3 * MIB // (len(value) + 1) - 10
    reply = Reply(body=b"[" + (value + b",") * count + value + b"]")
    line = "GET /list: the response has too many values for max_response_mb (3)"
    assert failure(reply, max_mb=3) == line


def test_body_at_the_limit_is_read() -> None:
    text = "x" * (MIB - 4)
    with (
        serving(packed(f'["{text}"]'.encode())) as server,
        client(server.url, max_response_mb=1) as api,
    ):
        assert api.send(LIST, list).value == [text]


@pytest.mark.parametrize("coding", ["gzip, gzip", "gzip,gzip,gzip", "identity, gzip"])
@pytest.mark.parametrize("download", [False, True])
def test_body_that_is_compressed_twice_is_refused(*, coding: str, download: bool) -> None:
    body = gzip.compress(gzip.compress(b"[]"))
    reply = Reply(body=body, headers={"Content-Encoding": coding})
    line = "GET /list: the response is compressed more than once; refused"
    assert failure(reply, download=download) == line


def test_download_that_unpacks_to_far_more_than_it_was_is_refused() -> None:
    reply = packed(b" " * (32 * MIB))
    line = "GET /list: the response is compressed over 200 times; refused"
    assert failure(reply, download=True) == line


def test_large_bodies_are_read_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_LARGE_BYTES", 1000)
    inside: list[int] = []
    most = [0]

    def decode(body: bytes, _source: str) -> list[int]:
        inside.append(1)
        most[0] = max(most[0], len(inside))
        threading.Event().wait(0.05)
        inside.pop()
        return [len(body)]

    with serving(Reply(body=b" " * 2000)) as server, client(server.url) as api:
        threads = [
            threading.Thread(target=lambda: api.send(LIST, list, decode=decode)) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert most == [1]


def test_wait_for_another_large_body_ends_when_the_run_is_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "_LARGE_BYTES", 1000)
    stop = threading.Event()
    with (
        BodyReader(1, lambda: None) as other,
        serving(Reply(body=b" " * 2000)) as server,
        client(server.url, throttle=Throttle(None, stop)) as api,
    ):
        other._wait_if_large(2000)  # noqa: SLF001  (as if it had read that much)
        threading.Timer(0.2, stop.set).start()
        with pytest.raises(Interrupted):
            api.send(LIST, list)


@given(st.recursive(st.none() | st.integers() | st.text(max_size=5), st.lists, max_leaves=50))
def test_estimate_of_the_memory_grows_with_the_values(value: object) -> None:
    body = repr(value).replace("'", '"').encode()
    assert memory_of(body) >= len(body)
    assert memory_of(b"[" + body + b"," + body + b"]") > 2 * memory_of(body)


NAMES, COLONS = ("name%d", "\\u0041%d", '\\"%d'), (":", " :", "\n\t: ")


@pytest.mark.parametrize(
    ("count", "name", "colon"),
    [*product([150_000], NAMES, COLONS), *zip([700_000] * 3, NAMES, COLONS, strict=True)],
)
def test_body_with_ever_new_names_needs_more_memory(count: int, name: str, colon: str) -> None:
    pair = f'{{"{name}"{colon}1}}'
    new = b"[" + b",".join(pair.encode() % n for n in range(count)) + b"]"
    same = b"[" + b",".join([pair.encode() % 12345] * count) + b"]"
    assert memory_of(new) - memory_of(same) > 100 * count


def test_body_whose_values_take_much_memory_is_read_alone() -> None:
    """Four such bodies at a time would take 350 MB."""
    body = b"{" + b",".join(b'"%x":1' % n for n in range(700_000)) + b"}"
    assert len(body) < 8 * MIB
    turns = iter([False, True])
    with serving(Reply(body=body)) as server, client(server.url) as api:
        take_memory()
        set_turn(lambda: next(turns))
        try:
            api.send(LIST, dict)
        finally:
            set_turn(None)
    assert next(turns, None) is None, "it waited for its turn"
    assert take_memory() > 64 * MIB


@pytest.mark.parametrize("is_wide", [False, True])
def test_large_body_waits_for_its_turn(*, is_wide: bool) -> None:
    body = b'["' + "😀".encode() * is_wide + b"a" * (9 * MIB) + b'"]'
    turns = iter([False, False, True])
    waits: list[int] = []
    with serving(Reply(body=body)) as server, client(server.url) as api:
        take_memory()
        set_turn(lambda: next(turns))
        try:
            with patch("tap_kit.net.reading.time.sleep", lambda _: waits.append(1)):
                api.send(LIST, list)
        finally:
            set_turn(None)
    assert len(waits) == 2
    assert (take_memory() > 30 * MIB) is is_wide


def test_wait_for_a_turn_ends() -> None:
    with serving(Reply(body=b"[" + b" " * (9 * MIB) + b"]")) as server, client(server.url) as api:
        set_turn(lambda: False)
        try:
            with patch.object(reading, "_MAX_WAIT_S", 0.2):
                assert api.send(LIST, list).value == []
        finally:
            set_turn(None)


def test_part_of_a_file_may_be_longer_than_all_headers() -> None:
    """It is content: the limit of what arrives without content is 8 MiB."""
    body = b"x" * (10 * MIB)
    with serving(Reply(body=body)) as server, client(server.url, timeout_s=20) as api:
        assert api.fetch_bytes(LIST, 16 * MIB) == body


@pytest.mark.parametrize("limit", [MIB, 1 << 50])
def test_limit_for_a_part_of_a_file_allocates_nothing(limit: int) -> None:
    with serving(Reply(body=b"x" * 10)) as server, client(server.url) as api:
        assert api.fetch_bytes(LIST, limit) == b"x" * 10
