"""Find the conversations whose actions reach the vendor's limit."""

from __future__ import annotations

import zlib
from array import array
from functools import cached_property
from typing import TYPE_CHECKING

from tap_khoros_analytics.exports.definitions import RAISED_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterable

_COUNTERS = 1 << 20


class ActionLimit:
    """Counts the actions of each conversation in a window, in 4 MiB for any number of them.

    Conversations share counters by checksum. A conversation below the limit can therefore be
    reported by mistake, but one that has reached it is never missed.
    """

    def __init__(self) -> None:
        self.reached: list[str] = []

    @cached_property
    def _counts(self) -> array[int]:
        return array("I", [0]) * _COUNTERS  # only one export has actions: made for its first one

    def count(self, conversations: Iterable[str | None]) -> None:
        """Count one action for each of ``conversations``."""
        counts = self._counts
        for conversation in conversations:
            if conversation is not None:
                place = zlib.crc32(conversation.encode()) % _COUNTERS
                counts[place] += 1
                if counts[place] == RAISED_LIMIT:
                    self.reached.append(conversation)
