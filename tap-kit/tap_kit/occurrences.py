"""How often a row came before among millions, exactly, in little memory."""

from __future__ import annotations

import contextlib
import tempfile
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

IN_MEMORY = 65_536  # digests; beyond them they go to a temporary file
_BUCKETS = 1024
_WRITE_AT = 4096  # bytes of a bucket that are kept back before they are written
_FILTER_BITS = 1 << 26  # 8 MiB: at five million rows one in five hundred is looked up in vain
_PROBES = 4


class Occurrences:
    """Counts equal digests of 16 bytes: 1 for the first, 2 for the second, and so on.

    Up to ``IN_MEMORY`` different ones it is a counter. Beyond that a Bloom filter says of most
    digests that they are new, and the others are counted in their bucket on disk.
    """

    def __init__(self) -> None:
        self._counted: Counter[bytes] = Counter()
        self._spilled: _Spilled | None = None

    def count(self, digest: bytes) -> int:
        """How often ``digest`` has come, this time included."""
        if self._spilled is not None:
            return self._spilled.count(digest)
        self._counted[digest] += 1
        number = self._counted[digest]
        if len(self._counted) >= IN_MEMORY:
            self._spilled = _Spilled()
            for known in self._counted.elements():
                self._spilled.add(known)
            self._counted.clear()
        return number

    def close(self) -> None:
        """Give the memory and the temporary files back."""
        self._counted.clear()
        if self._spilled is not None:
            self._spilled.close()
            self._spilled = None


class _Spilled:
    """Digests in buckets of one temporary file each, behind a Bloom filter."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self._filter = bytearray(_FILTER_BITS // 8)
        self._kept = [bytearray() for _ in range(_BUCKETS)]
        # One file of all buckets' blocks, in the order in which they were full.
        self._file = self._stack.enter_context(tempfile.TemporaryFile(prefix="tap-rows-"))  # noqa: SIM115
        self._blocks: list[list[int]] = [[] for _ in range(_BUCKETS)]
        self._end = 0

    def count(self, digest: bytes) -> int:
        number = 1 + self._before(digest) if self._seen(digest) else 1
        self.add(digest)
        return number

    def add(self, digest: bytes) -> None:
        for byte, bit in self._places(digest):
            self._filter[byte] |= bit
        bucket = int.from_bytes(digest[:2], "big") % _BUCKETS
        kept = self._kept[bucket]
        kept += digest
        if len(kept) >= _WRITE_AT:
            self._file.seek(self._end)
            self._file.write(kept)
            self._blocks[bucket].append(self._end)
            self._end += len(kept)
            kept.clear()

    def close(self) -> None:
        self._stack.close()

    def _seen(self, digest: bytes) -> bool:
        return all(self._filter[byte] & bit for byte, bit in self._places(digest))

    def _before(self, digest: bytes) -> int:
        bucket = int.from_bytes(digest[:2], "big") % _BUCKETS
        return _count_in(self._kept[bucket], digest) + sum(
            _count_in(block, digest) for block in self._stored(bucket)
        )

    def _stored(self, bucket: int) -> Iterator[bytes]:
        for place in self._blocks[bucket]:
            self._file.seek(place)
            yield self._file.read(_WRITE_AT)

    @staticmethod
    def _places(digest: bytes) -> Iterator[tuple[int, int]]:
        for probe in range(_PROBES):
            place = int.from_bytes(digest[2 + 3 * probe : 6 + 3 * probe], "big") % _FILTER_BITS
            yield place >> 3, 1 << (place & 7)


def _count_in(block: bytes | bytearray, digest: bytes) -> int:
    """How often ``digest`` stands in ``block`` at a multiple of its length."""
    count, place = 0, block.find(digest)
    while place >= 0:
        if place % len(digest):
            place = block.find(digest, place + 1)
            continue
        count += 1
        place = block.find(digest, place + len(digest))
    return count
