"""Count how often each row occurs among millions, exactly, in little memory."""

from __future__ import annotations

import contextlib
import random
import tempfile
from array import array
from typing import TYPE_CHECKING

from tap_kit.errors import SyncFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

DIGEST_BYTES = 16
MAX_IN_MEMORY = 32_768  # different digests; beyond that, they go to a temporary file
_COUNT_BYTES = 8
_ENTRY_BYTES = DIGEST_BYTES + _COUNT_BYTES
_BUCKETS = 1024
_BLOCK_BYTES = 4096 // _ENTRY_BYTES * _ENTRY_BYTES  # of a bucket, written at a time
_WORDS = 1 << 20  # of 64 bits each in the Bloom filter: 8 MiB
_MASKS = 1 << 12


class Occurrences:
    """A counter of equal digests of 16 bytes.

    It is a dict up to ``MAX_IN_MEMORY`` different digests. Beyond that, a Bloom filter recognizes
    most new digests, and the others are searched in their bucket on disk.
    """

    def __init__(self) -> None:
        self._counts: dict[bytes, int] = {}
        self._spilled: _Spilled | None = None

    def repeats(self, digests: Sequence[bytes]) -> dict[int, int]:
        """Count the digests; return those that occurred before, in this batch or an earlier one.

        Shape: the index in the batch -> the number of occurrences, this one included (2 and up).
        """
        if self._spilled is not None:
            return self._spilled.repeats(digests)
        found, counts = {}, self._counts
        for index, digest in enumerate(digests):
            number = counts.get(digest, 0) + 1
            counts[digest] = number
            if number > 1:
                found[index] = number
        if len(counts) >= MAX_IN_MEMORY:
            self._spilled = _Spilled(counts)
            self._counts = {}
        return found

    def close(self) -> None:
        """Release the memory and the temporary file."""
        self._counts = {}
        if self._spilled is not None:
            self._spilled.close()
            self._spilled = None


class _Spilled:
    """Digests and their counts in buckets on disk, behind a Bloom filter.

    An entry is a digest and a count. A digest can have several entries, which add up. The counts
    of repeated digests are cached in memory, so that a row that occurs a million times is searched
    once.
    """

    def __init__(self, counts: Mapping[bytes, int]) -> None:
        self._filter = array("Q", [0]) * _WORDS
        self._masks = _four_bit_masks()
        self._buffers = [bytearray() for _ in range(_BUCKETS)]
        # One file with the blocks of all buckets, in the order in which they are full.
        with _full_disk_named():
            self._file = tempfile.TemporaryFile(prefix="tap-rows-")  # noqa: SIM115
        self._blocks: list[list[int]] = [[] for _ in range(_BUCKETS)]
        self._end = 0
        self._repeated: dict[bytes, int] = {}  # total counts of repeated digests
        self._stored: dict[bytes, int] = {}  # the part of these counts that is stored
        digests = list(counts)
        for index in self._add_new(digests):  # which the filter wrongly recognizes
            self._store(digests[index], 1)
        for digest, count in counts.items():
            if count > 1:
                self._store(digest, count - 1)

    def repeats(self, digests: Sequence[bytes]) -> dict[int, int]:
        found = {}
        for index in self._add_new(digests):
            digest = digests[index]
            before = self._repeated.get(digest)
            if before is None:
                before = self._stored[digest] = self._stored_count(digest)
            if before:
                found[index] = before + 1
            self._repeated[digest] = before + 1
        if len(self._repeated) >= MAX_IN_MEMORY:
            self._store_repeated()
        return found

    def _add_new(self, digests: Sequence[bytes]) -> list[int]:
        """Store the digests that are certainly new; return the indices of the others.

        The filter is blocked: a digest sets four bits of a single word.
        """
        others, words, masks, buffers = [], self._filter, self._masks, self._buffers
        for index, (number, digest) in enumerate(zip(_numbers(digests), digests, strict=True)):
            slot, mask = number & (_WORDS - 1), masks[number >> 52]
            word = words[slot]
            if word & mask == mask:
                others.append(index)
                continue
            words[slot] = word | mask
            bucket = number >> 20 & (_BUCKETS - 1)
            buffer = buffers[bucket]
            buffer += digest + _ONE
            if len(buffer) >= _BLOCK_BYTES:
                self._write(bucket)
        return others

    def _store(self, digest: bytes, count: int) -> None:
        bucket = _bucket_of(digest)
        self._buffers[bucket] += digest + count.to_bytes(_COUNT_BYTES, "little")
        if len(self._buffers[bucket]) >= _BLOCK_BYTES:
            self._write(bucket)

    def _write(self, bucket: int) -> None:
        buffer = self._buffers[bucket]
        with _full_disk_named():
            self._file.seek(self._end)
            self._file.write(buffer)
        self._blocks[bucket].append(self._end)
        self._end += len(buffer)
        buffer.clear()

    def _store_repeated(self) -> None:
        for digest, count in self._repeated.items():
            self._store(digest, count - self._stored[digest])
        self._repeated.clear()
        self._stored.clear()

    def _stored_count(self, digest: bytes) -> int:
        bucket = _bucket_of(digest)
        return _count_in(self._buffers[bucket], digest) + sum(
            _count_in(block, digest) for block in self._read_blocks(bucket)
        )

    def _read_blocks(self, bucket: int) -> Iterator[bytes]:
        for offset in self._blocks[bucket]:
            with _full_disk_named():  # a seek writes what is buffered
                self._file.seek(offset)
                block = self._file.read(_BLOCK_BYTES)
            yield block

    def close(self) -> None:
        with contextlib.suppress(OSError):  # nobody needs what is buffered
            self._file.close()


@contextlib.contextmanager
def _full_disk_named() -> Iterator[None]:
    """Name the temporary directory in the error of a temporary file.

    Otherwise the output seems to be the cause: it is the other file that a run writes.
    """
    try:
        yield
    except OSError as error:
        folder = _temporary_directory()
        msg = (
            f"cannot write to a temporary file in {folder} ({error.strerror or error}); free space "
            "there, or set TMPDIR to a directory with more space"
        )
        raise SyncFailed(msg) from None


def _temporary_directory() -> str:
    try:
        return tempfile.gettempdir()
    except OSError:
        return "the temporary directory"


def _numbers(digests: Sequence[bytes]) -> array[int]:
    """Return the first eight bytes of each digest as a number."""
    return array("Q", b"".join(digests))[::2]


def _bucket_of(digest: bytes) -> int:
    return _numbers([digest])[0] >> 20 & (_BUCKETS - 1)


def _count_in(block: bytes | bytearray, digest: bytes) -> int:
    """Return the sum of the counts of the entries of ``digest`` in ``block``."""
    count, offset = 0, block.find(digest)
    while offset >= 0:
        if offset % _ENTRY_BYTES:
            offset = block.find(digest, offset + 1)
            continue
        number = block[offset + DIGEST_BYTES : offset + _ENTRY_BYTES]
        count += int.from_bytes(number, "little")
        offset = block.find(digest, offset + _ENTRY_BYTES)
    return count


def _four_bit_masks() -> list[int]:
    """Return words with four random bits set, the same in each run."""
    generator = random.Random(0)  # noqa: S311 (not for secrets)
    return [sum(1 << bit for bit in generator.sample(range(64), 4)) for _ in range(_MASKS)]


_ONE = (1).to_bytes(_COUNT_BYTES, "little")
