"""Count the equal lines of a file, in little memory."""

from __future__ import annotations

from array import array
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

from tap_kit import CHUNK_ROWS, Occurrences

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from collections.abc import Set as AbstractSet

MAX_IN_MEMORY = 1 << 17  # different lines; beyond that, they go to a temporary file
_DIGEST_BYTES = 16


class EqualLines:
    """A counter of the equal lines of one file.

    It compares Python's hashes of 64 bits, which have a random key: among five million different
    lines two have the same hash in one of a million files.
    """

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._repeated: dict[int, int] = {}  # how often each one was repeated so far
        self._spilled: Occurrences | None = None

    def before(self, lines: Sequence[bytes]) -> dict[int, int]:
        """Return the number of equal lines before each line, by its index; not where it is 0."""
        hashes = list(map(hash, lines))
        if self._spilled is not None:
            found = self._spilled.repeats(_digests(hashes))
            return {index: number - 1 for index, number in found.items()}
        new = set(hashes)
        repeated = self._seen & new
        if len(new) < len(hashes):
            repeated.update(one for one, count in Counter(hashes).items() if count > 1)
        repeats = self._repeats(hashes, repeated) if repeated else {}
        self._seen |= new
        if len(self._seen) > MAX_IN_MEMORY:
            self._spill()
        return repeats

    def close(self) -> None:
        """Release the memory and the temporary file."""
        self._seen.clear()
        self._repeated.clear()
        if self._spilled is not None:
            self._spilled.close()

    def _repeats(self, hashes: Sequence[int], repeated: AbstractSet[int]) -> dict[int, int]:
        repeats = {}
        for index in [index for index, one in enumerate(hashes) if one in repeated]:
            number = hashes[index]
            if number in self._seen:
                repeats[index] = self._repeated[number] = self._repeated.get(number, 0) + 1
            else:
                self._seen.add(number)
        return repeats

    def _spill(self) -> None:
        self._spilled = Occurrences()
        while self._seen:  # a few at a time, to use no memory twice
            some = [self._seen.pop() for _ in range(min(len(self._seen), CHUNK_ROWS))]
            self._spilled.repeats(_digests(some))
        for number, count in self._repeated.items():
            self._spilled.repeats(_digests([number] * count))
        self._repeated = {}


def _digests(hashes: Collection[int]) -> list[bytes]:
    """Return hashes as digests of 16 bytes."""
    octets = array("q", chain.from_iterable(zip(hashes, hashes, strict=True))).tobytes()
    return [octets[at : at + _DIGEST_BYTES] for at in range(0, len(octets), _DIGEST_BYTES)]
