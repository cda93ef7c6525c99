"""Count the equal lines of a file, in little memory."""

from __future__ import annotations

import struct
from collections import Counter
from itertools import compress, count
from typing import TYPE_CHECKING

from tap_kit import CHUNK_ROWS, Occurrences

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

MAX_IN_SET = 1 << 17  # different lines; beyond that, they are in buckets, which are slower
MAX_IN_MEMORY = 1 << 21  # beyond that, they go to a temporary file, which is slower still
_OCTETS, _KEY = 8, 6  # of a hash; of it in a bucket, whose number is the rest
_BUCKETS = 1 << 16


class EqualLines:
    """A counter of the equal lines of one file.

    It compares Python's hashes of 64 bits, which have a random key: among five million different
    lines two have the same hash in one of a million files.
    """

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._repeated: dict[int, int] = {}  # how often each one was repeated so far
        self._buckets: _Buckets | None = None
        self._spilled: Occurrences | None = None

    def before(self, lines: Sequence[bytes]) -> dict[int, int]:
        """Return the number of equal lines before each line, by its index; not where it is 0."""
        hashes = list(map(hash, lines))
        if self._spilled is not None:
            found = self._spilled.repeats(_digests(hashes))
            return {index: number - 1 for index, number in found.items()}
        if self._buckets is not None:
            repeats = {index: self._again(hashes[index]) for index in self._buckets.add(hashes)}
            if self._buckets.count > MAX_IN_MEMORY:
                self._spill(self._buckets)
            return repeats
        return self._before_in_set(hashes)

    def close(self) -> None:
        """Release the memory and the temporary file."""
        self._seen.clear()
        self._repeated.clear()
        self._buckets = None
        if self._spilled is not None:
            self._spilled.close()

    def _before_in_set(self, hashes: Sequence[int]) -> dict[int, int]:
        new = set(hashes)
        repeated = self._seen & new
        if len(new) < len(hashes):
            repeated.update(one for one, number in Counter(hashes).items() if number > 1)
        repeats = self._repeats(hashes, repeated) if repeated else {}
        self._seen |= new
        if len(self._seen) > MAX_IN_SET:
            self._buckets = _Buckets()
            while self._seen:  # a few at a time, to use no memory twice
                some = min(len(self._seen), CHUNK_ROWS)
                self._buckets.add([self._seen.pop() for _ in range(some)])
        return repeats

    def _repeats(self, hashes: Sequence[int], repeated: AbstractSet[int]) -> dict[int, int]:
        repeats = {}
        for index in compress(count(), map(repeated.__contains__, hashes)):
            number = hashes[index]
            if number in self._seen:
                repeats[index] = self._again(number)
            else:
                self._seen.add(number)
        return repeats

    def _again(self, number: int) -> int:
        """Return how often the line with this hash was there before."""
        self._repeated[number] = self._repeated.get(number, 0) + 1
        return self._repeated[number]

    def _spill(self, buckets: _Buckets) -> None:
        self._spilled = Occurrences()
        for hashes in buckets.taken():
            self._spilled.repeats(_digests(hashes))
        for number, repeats in self._repeated.items():
            self._spilled.repeats(_digests([number] * repeats))
        self._repeated, self._buckets = {}, None


class _Buckets:
    """Different hashes in buckets of bytes: about eight bytes for each, where a set takes sixty."""

    def __init__(self) -> None:
        self._buckets = [bytearray() for _ in range(_BUCKETS)]
        self.count = 0

    def add(self, hashes: Sequence[int]) -> list[int]:
        """Add hashes; return the indices of those that are there already."""
        found, buckets = [], self._buckets
        for index, (number, octets) in enumerate(zip(hashes, _octets(hashes), strict=True)):
            bucket, key = buckets[number >> _KEY * 8], octets[:_KEY]
            if key in bucket and _has(bucket, key):
                found.append(index)
            else:
                bucket += key
        self.count += len(hashes) - len(found)
        return found

    def taken(self) -> Iterator[list[int]]:
        """Yield the hashes, and forget them."""
        for place in compress(count(), self._buckets):
            bucket = self._buckets[place]
            rest = place.to_bytes(_OCTETS - _KEY, "little")
            keys = (bucket[at : at + _KEY] for at in range(0, len(bucket), _KEY))
            yield [int.from_bytes(key + rest, "little", signed=True) for key in keys]
            bucket.clear()


def _has(bucket: bytearray, key: bytes) -> bool:
    """Return whether a key is in a bucket, and not parts of two keys side by side."""
    place = bucket.find(key)
    while place % _KEY and place >= 0:
        place = bucket.find(key, place + 1)
    return place >= 0


def _octets(hashes: Collection[int]) -> Iterable[bytes]:
    octets = struct.pack(f"<{len(hashes)}q", *hashes)
    return (octets[at : at + _OCTETS] for at in range(0, len(octets), _OCTETS))


def _digests(hashes: Collection[int]) -> list[bytes]:
    """Return hashes as digests of 16 bytes."""
    return [octets + octets for octets in _octets(hashes)]
