"""Remember, in the state, which files were read, to report those that are written again."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from tap_kissmetrics.raw_exports.index import MAX_REVISION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_kissmetrics.raw_exports.store import Stored

MAX_REMEMBERED = 1000  # revisions, the last ones
_TAG = 4  # characters: a hash of 24 bits
_NONE = "A" * _TAG


class ReadFiles:
    """A short hash of the size and ETag of each file that was read, up to the revision ``last``.

    Shape in the state: ``{"last": 275, "tags": "Zm9v..."}``, four characters for each revision.
    """

    def __init__(self, last: int, tags: str) -> None:
        self.last = last
        self._tags = tags

    @classmethod
    def of_state(cls, value: Any) -> ReadFiles:
        """Return what a state has; nothing if the tap did not write it."""
        own = value if isinstance(value, dict) else {}
        last, tags = own.get("last"), own.get("tags")
        if not isinstance(last, int) or isinstance(last, bool) or not 0 <= last <= MAX_REVISION:
            return cls(-1, "")
        if not isinstance(tags, str) or len(tags) % _TAG:
            return cls(-1, "")
        return cls(last, tags)

    def as_state(self) -> dict[str, Any]:
        """Return the value for the state."""
        return {"last": self.last, "tags": self._tags}

    def add(self, revision: int, stored: Stored) -> None:
        """Add a file: after the others, or in its place if it was read before.

        A stream that is selected later, or has an older bookmark, reads files once more.
        """
        place = len(self._tags) + (revision - self.last - 1) * _TAG
        if self._tags and revision <= self.last:
            if place >= 0:
                self._tags = self._tags[:place] + _tag(stored) + self._tags[place + _TAG :]
            return
        gap = min(revision - self.last - 1, MAX_REMEMBERED) if self._tags else 0
        self._tags = (self._tags + _NONE * gap + _tag(stored))[-MAX_REMEMBERED * _TAG :]
        self.last = revision

    def written_again(self, files: Mapping[int, Stored]) -> list[int]:
        """Return the revisions whose file is not the one that was read; remember the new one."""
        first = self.last - len(self._tags) // _TAG + 1
        found, tags = [], []
        for place in range(0, len(self._tags), _TAG):
            revision, tag = first + place // _TAG, self._tags[place : place + _TAG]
            stored = files.get(revision)
            if stored is not None and tag not in {_NONE, _tag(stored)}:
                found.append(revision)
                tag = _tag(stored)
            tags.append(tag)
        self._tags = "".join(tags)
        return found


def _tag(stored: Stored) -> str:
    digest = hashlib.blake2b(f"{stored.size} {stored.etag}".encode(), digest_size=3).digest()
    return base64.b64encode(digest).decode()
