"""Occurrences of rows are counted exactly, as by a Counter, in little memory."""

from __future__ import annotations

import errno
import os
import random
import tempfile
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tap_kit.errors import SyncFailed
from tap_kit.rows import occurrences
from tap_kit.rows.occurrences import DIGEST_BYTES, Occurrences

if TYPE_CHECKING:
    from pathlib import Path


def digest(number: int) -> bytes:
    """Return a digest; many numbers share a word of the filter, its bits and a bucket."""
    return (number % 7).to_bytes(8, "little") + number.to_bytes(DIGEST_BYTES - 8, "big")


def assert_as_a_counter(batches: list[list[bytes]]) -> None:
    seen: Counter[bytes] = Counter()
    with closing(Occurrences()) as counted:
        for batch in batches:
            expected = {}
            for index, item in enumerate(batch):
                seen[item] += 1
                if seen[item] > 1:
                    expected[index] = seen[item]
            assert counted.repeats(batch) == expected


NUMBERS = st.lists(st.lists(st.integers(0, 60), max_size=30), max_size=30)


@pytest.mark.parametrize("in_memory", [1, 5, 20, 1000])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=NUMBERS)
def test_repeats_equal_those_of_a_counter_before_and_after_the_spill(
    monkeypatch: pytest.MonkeyPatch, in_memory: int, numbers: list[list[int]]
) -> None:
    monkeypatch.setattr(occurrences, "MAX_IN_MEMORY", in_memory)
    monkeypatch.setattr(occurrences, "_BLOCK_BYTES", 48)  # blocks of two entries
    assert_as_a_counter([[digest(number) for number in batch] for batch in numbers])


@pytest.mark.parametrize("different", [100, 90_000])
def test_repeats_of_random_digests_in_real_sizes(different: int) -> None:
    generator = random.Random(7)  # noqa: S311 (for the same values each time)
    pool = [generator.randbytes(DIGEST_BYTES) for _ in range(different)]
    assert_as_a_counter([generator.choices(pool, k=4000) for _ in range(25)])


def test_row_that_occurs_a_million_times_is_cheap() -> None:
    """A repetition must not read the whole bucket, which grows with each of them."""
    many = [os.urandom(DIGEST_BYTES) for _ in range(70_000)]
    with closing(Occurrences()) as counted:
        counted.repeats(many)
        for _ in range(100):
            found = counted.repeats([many[0]] * 10_000)
        assert found[9_999] == 1_000_001


def test_digest_across_two_entries_is_not_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(occurrences, "MAX_IN_MEMORY", 1)
    first, second = b"\0" * 8 + b"\1" * 8, b"\0" * 16
    assert_as_a_counter([[first], [second], [b"\1" * 8 + b"\1" + b"\0" * 7], [second, first]])


def test_close_removes_the_temporary_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(occurrences, "MAX_IN_MEMORY", 1)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    counted = Occurrences()
    counted.repeats([digest(1), digest(2)])
    counted.close()
    counted.close()
    assert list(tmp_path.iterdir()) == []


class FullFile:
    """A file on a device without space."""

    def __init__(self, *, fails_on: str) -> None:
        self._fails_on = fails_on

    def __getattr__(self, name: str) -> Any:
        def call(*_: object) -> bytes:
            if name == self._fails_on:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return b""

        return call


@pytest.mark.parametrize("fails_on", ["seek", "write", "read"])
def test_full_temporary_directory_is_named(fails_on: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(occurrences, "MAX_IN_MEMORY", 4)
    monkeypatch.setattr(
        tempfile, "TemporaryFile", lambda **_: FullFile(fails_on=fails_on), raising=True
    )
    folder = tempfile.gettempdir()
    text = rf"^cannot write to a temporary file in {folder} \(No space left on device\); free space"
    with closing(Occurrences()) as counted, pytest.raises(SyncFailed, match=text):
        _count_many(counted)


def _count_many(counted: Occurrences) -> None:
    """Count enough digests to write blocks, and old ones again to read them."""
    for start in range(0, 2_000_000, 20_000):
        counted.repeats([digest(number) for number in range(start, start + 20_000)])
        counted.repeats([digest(number) for number in range(start, start + 20)])


def test_temporary_directory_that_cannot_be_used_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(**_: object) -> None:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(occurrences, "MAX_IN_MEMORY", 4)
    monkeypatch.setattr(tempfile, "TemporaryFile", fail)
    monkeypatch.setattr(tempfile, "gettempdir", fail)
    counted, digests = Occurrences(), [digest(number) for number in range(5)]
    with pytest.raises(SyncFailed, match=r"file in the temporary directory \(No usable"):
        counted.repeats(digests)


def test_file_that_cannot_be_flushed_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(occurrences, "MAX_IN_MEMORY", 4)
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: FullFile(fails_on="close"))
    counted = Occurrences()
    counted.repeats([digest(number) for number in range(5)])
    counted.close()
