"""Which conversations have as many actions as the vendor gives at most."""

from __future__ import annotations

import zlib
from array import array
from typing import TYPE_CHECKING

from tap_khoros_analytics.exports.catalogue import RAISED_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterable

_COUNTERS = 1 << 20


class ActionLimit:
    """Counts the actions of each conversation of a window, in 4 MiB however many there are.

    Conversations share counters by their checksum, so that one may be told of that has some
    actions less than the limit; never is one missed that has reached it.
    """

    def __init__(self) -> None:
        self._counts = array("I", bytes(4 * _COUNTERS))
        self.reached: list[str] = []

    def count(self, conversations: Iterable[str | None]) -> None:
        """Count one action more of each of these."""
        counts = self._counts
        for conversation in conversations:
            if conversation is not None:
                place = zlib.crc32(conversation.encode()) % _COUNTERS
                counts[place] += 1
                if counts[place] == RAISED_LIMIT:
                    self.reached.append(conversation)
