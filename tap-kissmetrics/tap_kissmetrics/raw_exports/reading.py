"""Read one file: its lines as the rows of all streams, and the row that counts them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from tap_kit import JobFailed

from tap_kissmetrics.raw_exports.decoding import decode
from tap_kissmetrics.raw_exports.repeats import EqualLines
from tap_kissmetrics.raw_exports.rows import (
    ALIASES,
    EVENTS,
    FILES,
    KINDS,
    PROPERTIES,
    REJECTS,
    LineRows,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tap_kit import Row

    from tap_kissmetrics.raw_exports.content import Content
    from tap_kissmetrics.raw_exports.index import Indexed
    from tap_kissmetrics.raw_exports.rows import RowMaker

_COUNTS = {"events": EVENTS, "properties": PROPERTIES, "aliases": ALIASES, "rejects": REJECTS}


class FileReader:
    """Reads a file of a product for the streams that have a maker of rows."""

    def __init__(self, product: str, entry: Indexed, makers: Mapping[str, RowMaker]) -> None:
        self._product = product
        self._entry = entry
        self._makers = makers
        self._lines = LineRows(makers, product, entry.revision)
        self._mended = 0
        self._repeated = 0

    def rows(
        self, content: Content, heartbeat: Callable[[], None]
    ) -> Iterator[dict[str, list[Row]]]:
        """Yield the rows of each stream, in batches; ``raw_files`` at the end.

        Raises:
            JobFailed: if the file was changed meanwhile.
        """
        first = 1
        with contextlib.closing(EqualLines()) as equal_lines:
            for lines in content.lines(heartbeat):
                decoded, equal = decode(lines), equal_lines.before(lines)
                self._mended += len(decoded.mended)
                self._repeated += len(equal)
                yield self._lines.of(first, lines, decoded, equal)
                first += len(lines)
        self._check(content)
        if FILES in self._makers:
            yield {FILES: [self._makers[FILES].row(self._file(content))]}

    @property
    def counts(self) -> dict[str, int]:
        """The numbers of lines: of each kind, those that were mended, and those repeated."""
        kinds = {name: self._lines.counts[kind] for name, kind in _COUNTS.items()}
        return {**kinds, "mended": self._mended, "repeated": self._repeated}

    @property
    def line_count(self) -> int:
        """The number of lines of all kinds."""
        return sum(self._lines.counts[kind] for kind in KINDS)

    def _check(self, content: Content) -> None:
        """Check that each line of the file is in one of the streams.

        Raises:
            JobFailed: if the line feeds of the file say otherwise.
        """
        if self.line_count != content.line_count:
            msg = f"{content.file} has {content.line_count:,} lines, but {self.line_count:,} rows"
            raise JobFailed(msg)

    def _file(self, content: Content) -> dict[str, Any]:
        return {
            "product": self._product,
            "revision": self._entry.revision,
            "file_name": self._entry.file,
            "size": content.size,
            "etag": content.stored.etag,
            "min_timestamp": self._entry.min_timestamp,
            "max_timestamp": self._entry.max_timestamp,
            "line_count": self.line_count,
            **self.counts,
        }
