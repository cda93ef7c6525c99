"""How often a row came before among millions, exactly, in little memory."""

from __future__ import annotations

import random
import tempfile
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

DIGEST_BYTES = 16
IN_MEMORY = 32_768  # different digests; beyond them they go to a temporary file
_COUNT_BYTES = 8
_ENTRY_BYTES = DIGEST_BYTES + _COUNT_BYTES
_BUCKETS = 1024
_WRITE_AT = 4096 // _ENTRY_BYTES * _ENTRY_BYTES  # bytes of a bucket that are kept back at most
_WORDS = 1 << 20  # of 64 bits in the filter: 8 MiB
_MASKS = 1 << 12


class Occurrences:
    """Counts equal digests of 16 bytes.

    Up to ``IN_MEMORY`` different ones it is a dict. Beyond that a Bloom filter says of most
    digests that they are new, and the others are looked up in their bucket on disk.
    """

    def __init__(self) -> None:
        self._counted: dict[bytes, int] = {}
        self._spilled: _Spilled | None = None

    def repeats(self, digests: Sequence[bytes]) -> dict[int, int]:
        """Which of ``digests`` came before, in this batch or an earlier one.

        Shape: the place in the batch -> how often it has come, this time included (2 and up).
        """
        if self._spilled is not None:
            return self._spilled.repeats(digests)
        found, counted = {}, self._counted
        for place, digest in enumerate(digests):
            number = counted.get(digest, 0) + 1
            counted[digest] = number
            if number > 1:
                found[place] = number
        if len(counted) >= IN_MEMORY:
            self._spilled = _Spilled(counted)
            self._counted = {}
        return found

    def close(self) -> None:
        """Give the memory and the temporary file back."""
        self._counted = {}
        if self._spilled is not None:
            self._spilled.close()
            self._spilled = None


class _Spilled:
    """Digests with their counts in buckets on disk, behind a Bloom filter.

    An entry is a digest and a count; a digest can have several, which add up. The counts of
    those that repeat are kept in memory, so that a row that comes a million times is looked up
    once.
    """

    def __init__(self, counted: Mapping[bytes, int]) -> None:
        self._filter = array("Q", [0]) * _WORDS
        self._masks = _four_bits()
        self._kept = [bytearray() for _ in range(_BUCKETS)]
        # One file of all buckets' blocks, in the order in which they were full.
        self._file = tempfile.TemporaryFile(prefix="tap-rows-")  # noqa: SIM115
        self._blocks: list[list[int]] = [[] for _ in range(_BUCKETS)]
        self._end = 0
        self._repeated: dict[bytes, int] = {}  # how often: what the file says, and since then
        self._on_file: dict[bytes, int] = {}  # of these: what the file says
        digests = list(counted)
        for place in self._new(digests):  # which the filter takes for known
            self._store(digests[place], 1)
        for digest, count in counted.items():
            if count > 1:
                self._store(digest, count - 1)

    def repeats(self, digests: Sequence[bytes]) -> dict[int, int]:
        found = {}
        for place in self._new(digests):
            digest = digests[place]
            before = self._repeated.get(digest)
            if before is None:
                before = self._on_file[digest] = self._count_on_file(digest)
            if before:
                found[place] = before + 1
            self._repeated[digest] = before + 1
        if len(self._repeated) >= IN_MEMORY:
            self._forget_repeated()
        return found

    def _new(self, digests: Sequence[bytes]) -> list[int]:
        """Take in the digests that are certainly new; the places of the others.

        The filter is blocked: one word of it and four bits therein stand for a digest.
        """
        others, words, masks, kept = [], self._filter, self._masks, self._kept
        for place, (number, digest) in enumerate(zip(_numbers(digests), digests, strict=True)):
            index, mask = number & (_WORDS - 1), masks[number >> 52]
            word = words[index]
            if word & mask == mask:
                others.append(place)
                continue
            words[index] = word | mask
            bucket = number >> 20 & (_BUCKETS - 1)
            block = kept[bucket]
            block += digest + _ONE
            if len(block) >= _WRITE_AT:
                self._write(bucket)
        return others

    def _store(self, digest: bytes, count: int) -> None:
        bucket = _bucket_of(digest)
        self._kept[bucket] += digest + count.to_bytes(_COUNT_BYTES, "little")
        if len(self._kept[bucket]) >= _WRITE_AT:
            self._write(bucket)

    def _write(self, bucket: int) -> None:
        kept = self._kept[bucket]
        self._file.seek(self._end)
        self._file.write(kept)
        self._blocks[bucket].append(self._end)
        self._end += len(kept)
        kept.clear()

    def _forget_repeated(self) -> None:
        for digest, count in self._repeated.items():
            self._store(digest, count - self._on_file[digest])
        self._repeated.clear()
        self._on_file.clear()

    def _count_on_file(self, digest: bytes) -> int:
        bucket = _bucket_of(digest)
        return _count_in(self._kept[bucket], digest) + sum(
            _count_in(block, digest) for block in self._stored(bucket)
        )

    def _stored(self, bucket: int) -> Iterator[bytes]:
        for place in self._blocks[bucket]:
            self._file.seek(place)
            yield self._file.read(_WRITE_AT)

    def close(self) -> None:
        self._file.close()


def _numbers(digests: Sequence[bytes]) -> array[int]:
    """The first eight bytes of each digest as a number."""
    return array("Q", b"".join(digests))[::2]


def _bucket_of(digest: bytes) -> int:
    return _numbers([digest])[0] >> 20 & (_BUCKETS - 1)


def _count_in(block: bytes | bytearray, digest: bytes) -> int:
    """The sum of the counts of the entries of ``digest`` in ``block``."""
    count, place = 0, block.find(digest)
    while place >= 0:
        if place % _ENTRY_BYTES:
            place = block.find(digest, place + 1)
            continue
        number = block[place + DIGEST_BYTES : place + _ENTRY_BYTES]
        count += int.from_bytes(number, "little")
        place = block.find(digest, place + _ENTRY_BYTES)
    return count


def _four_bits() -> list[int]:
    """Words with four bits set, always the same."""
    dice = random.Random(0)  # noqa: S311 (no secret hangs on it)
    return [sum(1 << bit for bit in dice.sample(range(64), 4)) for _ in range(_MASKS)]


_ONE = (1).to_bytes(_COUNT_BYTES, "little")
