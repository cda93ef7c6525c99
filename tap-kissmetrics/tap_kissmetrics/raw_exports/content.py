"""Read one file: its first part ahead, the others when its lines are the next ones."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_kit import JobFailed, read_in_background

from tap_kissmetrics.raw_exports.lines import BOM, LineSplitter
from tap_kissmetrics.raw_exports.store import MissingFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from tap_kissmetrics.raw_exports.store import Store, Stored

FIRST_BYTES = 2 << 20  # of a file, which are read ahead: many files at a time
FURTHER_BYTES = 2 << 20  # at a time, of the file that is being written: at 0.1 s, 20 MiB/s
_PIECE_BYTES = 1 << 20  # to split into lines at a time
BATCH_LINES = 2_000  # to decode at a time: few enough for little memory


@dataclass
class Content:
    """The content of a file. ``line_feeds`` and the rest count what was read, for a check."""

    store: Store
    file: str
    stored: Stored
    first: bytes
    size: int = 0  # bytes that were read
    line_feeds: int = 0
    ends_with_line_feed: bool = True

    @classmethod
    def open(cls, store: Store, file: str, stored: Stored | None) -> Content:
        """Return a file with its first part.

        Raises:
            JobFailed: if the store does not have it.
        """
        if stored is not None:
            with contextlib.suppress(MissingFileError):
                first = store.read_part(file, stored, 0, min(stored.size, FIRST_BYTES))
                return cls(store, file, stored, first)
        msg = f"{store.url}: {file} is missing: index.csv has it, the store has not"
        raise JobFailed(msg)

    def lines(self, heartbeat: Callable[[], None]) -> Iterator[list[bytes]]:
        """Yield the lines in batches; call ``heartbeat`` while the store is slow.

        Raises:
            JobFailed: if the file is shorter than it was when it was listed.
        """
        splitter = LineSplitter()
        with contextlib.closing(self._parts(heartbeat)) as parts:
            for part in parts:
                for start in range(0, len(part), _PIECE_BYTES):
                    yield from _batches(splitter.push(part[start : start + _PIECE_BYTES]))
        yield from _batches(splitter.finalize())
        if self.size != self.stored.size:
            raise self._changed()

    @property
    def line_count(self) -> int:
        """The number of lines, by the line feeds that were read."""
        return self.line_feeds + (not self.ends_with_line_feed)

    def _parts(self, heartbeat: Callable[[], None]) -> Generator[bytes, None, None]:
        further = range(FIRST_BYTES, self.stored.size, FURTHER_BYTES)
        first, self.first = self.first, b""
        if self._counted(first):
            yield first
        del first
        if further:
            arriving = read_in_background(self._further(further), heartbeat)
            with contextlib.closing(arriving) as parts:
                yield from map(self._counted, parts)

    def _further(self, starts: range) -> Generator[bytes, None, None]:
        for start in starts:
            length = min(FURTHER_BYTES, self.stored.size - start)
            try:
                yield self.store.read_part(self.file, self.stored, start, length)
            except MissingFileError:
                raise self._changed() from None

    def _counted(self, part: bytes) -> bytes:
        if part:
            self.size += len(part)
            self.line_feeds += part.count(b"\n")
            is_mark = self.size == len(part) and part == BOM  # of a file without lines
            self.ends_with_line_feed = part.endswith(b"\n") or is_mark
        return part

    def _changed(self) -> JobFailed:
        msg = f"{self.store.url}: {self.file} was changed or deleted while it was read; run again"
        return JobFailed(msg)


def _batches(lines: list[bytes]) -> Iterator[list[bytes]]:
    for start in range(0, len(lines), BATCH_LINES):
        yield lines[start : start + BATCH_LINES]
