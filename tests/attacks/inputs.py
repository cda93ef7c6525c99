"""Attacks on the files that a tap reads, and on the resources of its process."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from tests.attacks.accounts import STORED
from tests.attacks.attack import Attack
from tests.attacks.server import Heard, head
from tests.attacks.texts import EVIL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.attacks.attack import Parts

MANY, MIB = 100_000, 1 << 20
# Large contents: parts, each so many times.
LISTS = [(b"[", MANY), (b"]", MANY)]
OBJECTS = [(b'{"a":', MANY), (b"1", 1), (b"}", MANY)]
SPACES = [(b" ", 70 * MIB)]
EMPTY_LISTS = [(b"[[]", 1), (b",[]", 20 * MIB), (b"]", 1)]
OPTIONS = ("config", "state", "catalog")


def _file(tried: str, option: str, content: bytes | Parts, **more: Any) -> Attack:
    parts = [(content, 1)] if isinstance(content, bytes) else content
    return Attack("files", f"{tried} as {option}", "kindmetrics", files={option: parts}, **more)


def many_rows(_: Heard) -> Iterator[bytes]:
    """Return 400,001 rows, so many that their keys are written to a temporary file."""
    yield head() + b'[{"STATUS":"-"}'
    for start in range(0, 400_000, 1000):
        yield b"".join(b',{"STATUS":"%d"}' % n for n in range(start, start + 1000))
    yield b"]"


def _process(tried: str, **more: Any) -> Attack:
    return Attack("process", tried, "kindmetrics", **more)


FILES = [
    *(_file("100,000 lists", one, LISTS) for one in OPTIONS),
    *(_file("100,000 objects", one, OBJECTS) for one in OPTIONS),
    *(_file("70 MiB of spaces", one, SPACES) for one in OPTIONS),
    *(_file("60 MiB of empty lists", one, EMPTY_LISTS) for one in OPTIONS),
    *(_file("invalid UTF-8", one, b'{"a":"\xff\xfe"}') for one in OPTIONS),
    *(
        _file(
            "control characters",
            one,
            json.dumps(
                {EVIL: EVIL, "bookmarks": EVIL, "streams": EVIL, "api_token": EVIL}
            ).encode(),
        )
        for one in OPTIONS
    ),
    *(
        _file("NaN and 1e400", one, b'{"api_token":NaN,"bookmarks":1e400,"streams":-Infinity}')
        for one in OPTIONS
    ),
    *(
        _file("an integer of 10,000 digits", one, b'{"a":' + b"9" * 10_000 + b"}")
        for one in OPTIONS
    ),
    *(_file("keys twice", one, b'{"a":1,"a":2}') for one in OPTIONS),
    *(_file("nothing", one, b"") for one in OPTIONS),
    *(
        _file(
            "a lone surrogate",
            one,
            rb'{"api_token":"\ud800","bookmarks":{"\ud800":{}},'
            rb'"streams":[{"tap_stream_id":"\ud800"}]}',
        )
        for one in OPTIONS
    ),
]

PROCESS = [
    _process("stdout is closed", closed=(1,)),
    _process("stderr is closed", closed=(2,), rows=1),
    _process("20 file descriptors", limits={"RLIMIT_NOFILE": 20}, rows=1),
    _process("10 file descriptors", limits={"RLIMIT_NOFILE": 10}, rows=1),
    _process(
        "600 MiB of addresses, 64 workers",
        limits={"RLIMIT_AS": 600 << 20},
        settings={"max_concurrency": 64},
        rows=1,
    ),
    Attack(
        "process",
        "no space for the temporary file of the keys",
        "khoros",
        {STORED: many_rows},
        limits={"RLIMIT_FSIZE": 100_000},
        says="TMPDIR",
    ),
    Attack(
        "process",
        "a folder for temporary files that does not exist",
        "khoros",
        {STORED: many_rows},
        environment={"TMPDIR": "/does/not/exist"},
        rows=400_001,
    ),
    _process(
        "a proxy that is no URL", environment={"HTTP_PROXY": "http://[x", "http_proxy": "x:y:z"}
    ),
    _process(
        "certificates that do not exist",
        environment={"REQUESTS_CA_BUNDLE": os.devnull + "x"},
        settings={"api_url": "https://127.0.0.1:9"},
        says="REQUESTS_CA_BUNDLE",
    ),
]
