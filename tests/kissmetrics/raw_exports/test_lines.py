"""Files are split into lines and decoded, many lines at a time."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_kissmetrics.raw_exports import lines as lines_module
from tap_kissmetrics.raw_exports import repeats
from tap_kissmetrics.raw_exports.content import Content
from tap_kissmetrics.raw_exports.decoding import decode
from tap_kissmetrics.raw_exports.folder import Folder
from tap_kissmetrics.raw_exports.lines import CutLine, LineSplitter
from tap_kissmetrics.raw_exports.repeats import EqualLines
from tap_kissmetrics.raw_exports.store import Stored
from tap_kit import JobFailed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def split(*pieces: bytes) -> list[bytes]:
    splitter = LineSplitter()
    return [line for piece in pieces for line in splitter.push(piece)] + splitter.finalize()


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        ([b"a\nb\n"], [b"a", b"b"]),
        ([b"a\nb"], [b"a", b"b"]),
        ([b"a", b"b\nc", b"\n"], [b"ab", b"c"]),
        ([b"\n\na\n"], [b"", b"", b"a"]),
        ([b"\xef\xbb\xbfa\n\xef\xbb\xbfb"], [b"a", b"\xef\xbb\xbfb"]),
        ([b""], []),
    ],
)
def test_pieces_are_split_into_lines(pieces: Sequence[bytes], lines: Sequence[bytes]) -> None:
    assert split(*pieces) == lines


@given(st.binary(max_size=60), st.lists(st.integers(0, 60)))
def test_lines_do_not_depend_on_the_pieces(content: bytes, cuts: list[int]) -> None:
    content = content.removeprefix(lines_module.BOM)
    ends = sorted({*cuts, 0, len(content)} & {*range(len(content) + 1)})
    pieces = [content[a:b] for a, b in zip(ends, [*ends[1:], len(content)], strict=True)]
    whole = content.split(b"\n")
    assert split(*filter(None, pieces)) == (whole if whole[-1] else whole[:-1])


@pytest.mark.parametrize("size", [3, 50])
def test_long_line_is_cut_and_counted(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "MAX_LINE_BYTES", 20)
    monkeypatch.setattr(lines_module, "KEPT_BYTES", 4)
    content = b"short\n" + b"x" * 33 + b"\nnext\n" + b"y" * 21
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    found = split(*pieces)
    assert found == [b"short", b"xxxx", b"next", b"yyyy"]
    assert [line.length for line in found if isinstance(line, CutLine)] == [33, 21]
    assert decode(found).reasons[1] == "is longer than 1 MiB"


GOOD, BAD = b'{"a": 1}', b"{"
HALF, OTHER_HALF = b'{"a":', b"1}"
TWO = b'{"a": 1}{"a": 2}'


@pytest.mark.parametrize(
    ("lines", "good"),
    [
        ([GOOD] * 100, 100),
        ([*[GOOD] * 60, BAD, *[GOOD] * 39], 99),
        ([BAD] * 40, 0),
        ([HALF, OTHER_HALF, TWO], 0),  # as many objects as lines
        ([TWO, HALF, b"}"], 0),
        ([b"", GOOD], 1),
        ([b"5"], 0),
        ([b" ", b"\r", GOOD + b"\r"], 1),
        ([rb'{"a": "\q"}'] * 3, 3),
        ([*[GOOD] * 20, rb'{"a": "\302\243"}', *[GOOD] * 20, BAD], 41),
    ],
)
def test_each_line_is_decoded_for_itself(lines: Sequence[bytes], good: int) -> None:
    found = decode(lines)
    assert len(found.records) == good
    assert sorted([*found.places, *found.reasons]) == [*range(len(lines))]
    assert list(found.places) == sorted(found.places)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "is empty"),
        (b" \r", "is empty"),
        (b"[1]", "is not a JSON object"),
        (b"null", "is not a JSON object"),
        (b'{"a": ', "is not JSON"),
        (b'{"a": 1e999}', "has a number that is out of range"),
        (b'{"a": NaN}', "is not JSON"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "is nested too deeply"),
    ],
)
def test_reject_has_a_reason(line: bytes, reason: str) -> None:
    assert decode([line]).reasons == {0: reason}


def test_lines_that_are_mended_or_rejected_are_released_without_the_garbage_collector() -> None:
    lines = [GOOD, BAD, rb'{"a": "\302"}', b"[1]", GOOD] * 10
    left = []
    gc.disable()
    gc.freeze()  # the objects of other tests, which take seconds to look through
    try:
        for _ in range(3):
            gc.collect()
            decode(lines)
            left.append(gc.collect())
    finally:
        gc.unfreeze()
        gc.enable()
    assert min(left) == 0  # a thread of another test can leave something once


# Equal lines


def model_of(lines: Sequence[bytes]) -> dict[int, int]:
    before = {place: lines[:place].count(line) for place, line in enumerate(lines)}
    return {place: count for place, count in before.items() if count}


@pytest.mark.parametrize(("set_limit", "limit"), [(1 << 18, 1 << 20), (2, 1 << 20), (1, 3)])
@given(batches=st.lists(st.lists(st.sampled_from([b"a", b"b", b"c", b"d", b"e"]), max_size=9)))
def test_equal_lines_are_counted_across_batches(
    set_limit: int, limit: int, batches: list[list[bytes]]
) -> None:
    found: dict[int, int] = {}
    first = 0
    with (
        patch.object(repeats, "MAX_IN_SET", set_limit),
        patch.object(repeats, "MAX_IN_MEMORY", limit),
    ):
        counter = EqualLines()
        for batch in batches:
            found |= {first + place: n for place, n in counter.before(batch).items()}
            first += len(batch)
        counter.close()
    every: list[Any] = [line for batch in batches for line in batch]
    assert found == model_of(every)


def test_hashes_in_a_bucket_are_not_mixed_up() -> None:
    buckets = repeats._Buckets()  # noqa: SLF001
    first, second = 0x0000_A1A2_A3A4_A5A6, 0x0000_B1B2_B3B4_B5B6
    across = int.from_bytes(
        first.to_bytes(6, "little")[3:] + second.to_bytes(6, "little")[:3], "little"
    )
    assert buckets.add([first, second, across, -5, second, across, -5]) == [4, 5, 6]
    assert sorted(one for some in buckets.taken() for one in some) == sorted(
        [-5, first, second, across]
    )


# Files


def test_file_that_became_shorter_while_it_was_read_is_an_error(tmp_path: Path) -> None:
    content = Content(Folder(str(tmp_path)), "revisions/1.json", Stored(5, "e"), b"{}\n")
    with pytest.raises(JobFailed, match=r"revisions/1\.json was changed or deleted while it was"):
        list(content.lines(lambda: None))
