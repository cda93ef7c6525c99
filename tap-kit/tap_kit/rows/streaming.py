"""Parse rows from a body of any size while it arrives, in constant memory.

A parser receives pieces of bytes and returns the rows that they complete, so the rows of a slow
source are not delayed. It splits the bytes after the last complete row; compiled code does the
parsing.
"""

from __future__ import annotations

import csv
import io
import logging
import re
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from tap_kit.errors import Retriable, SyncFailed
from tap_kit.net.bodies import parse_json
from tap_kit.net.retries import MAX_REQUEST_S, TRIES, no_retries_left, pause_after
from tap_kit.net.wire import PIECE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

logger = logging.getLogger(__name__)

_BOM = b"\xef\xbb\xbf"
_MAX_CANDIDATES = 4  # possible ends of a row to try in a piece, before waiting for more bytes
MAX_ROW_BYTES = 1 << 26  # also of a CSV field in characters: Python's own limit is too low
_NOT_CSV = re.compile(r"\s*(?:<|\{|\[\s*[\[{\"\]])")  # how HTML and JSON begin
_AFTER_OBJECT = re.compile(rb"\s*(?:,\s*(?:\{|$)|\]|$)")  # what can follow an object


class RowParser(Protocol):
    """A parser of the pieces of a body."""

    def push(self, piece: bytes) -> list[Any]:
        """Return the rows that ``piece`` completes."""

    def finalize(self) -> list[Any]:
        """Return the rows that the end of the body completes.

        Raises:
            Retriable: if the body is incomplete.
        """


class JsonRows:
    """A parser of a top-level JSON array of objects. ``source`` names the download in messages.

    ``decode`` returns the rows of a complete JSON array. It raises msgspec's ``DecodeError`` if
    the array is not JSON, and its ``ValidationError`` if an item is not a row. A split after a
    ``}`` is right exactly if the bytes before it are JSON: a brace in a string or in a nested
    object leaves something open.
    """

    def __init__(self, decode: Callable[[bytes], list[Any]], source: str) -> None:
        self._decode = decode
        self._source = source
        self._rest = b""
        self._is_started = False
        self._separator = b""  # required before the next object

    def push(self, piece: bytes) -> list[Any]:
        """Return the objects that ``piece`` completes.

        Raises:
            Retriable: if the body is not an array, or a row is too long.
        """
        self._rest += piece
        if not self._is_started and not self._start():
            return []
        rows = self._complete_rows()
        _check_length(len(self._rest), self._source)
        return rows

    def finalize(self) -> list[Any]:
        """Return no rows: each object was returned when it was complete.

        Raises:
            Retriable: if the array is not closed.
        """
        if not self._is_started or self._rest.strip() != b"]":
            msg = f"{self._source}: the body ends before its last row is complete"
            raise Retriable(msg)
        return []

    def _start(self) -> bool:
        start = self._rest.removeprefix(_BOM).lstrip()
        if not start or _BOM.startswith(start):
            return False
        if start[:1] != b"[":
            msg = f"{self._source}: the body is not a JSON array"
            raise Retriable(msg)
        self._rest, self._is_started = start[1:], True
        return True

    def _complete_rows(self) -> list[Any]:
        ends = list(self._ends())
        for end in ends:
            rows = self._decode_array(self._rest[:end])
            if rows is not None:
                return self._take(rows, end)
        if ends:
            rows = self._decode_leniently(self._rest[: ends[0]])
            if rows is not None:
                return self._take(rows, ends[0])
        return []

    def _take(self, rows: list[Any], end: int) -> list[Any]:
        self._rest, self._separator = self._rest[end:], b","
        return rows

    def _ends(self) -> Iterator[int]:
        """Yield the possible ends of an object, the last ones first."""
        end, found = len(self._rest), 0
        while found < _MAX_CANDIDATES and (end := self._rest.rfind(b"}", 0, end)) >= 0:
            if _AFTER_OBJECT.match(self._rest, end + 1):
                found += 1
                yield end + 1

    def _decode_array(self, objects: bytes) -> list[Any] | None:
        try:
            return self._decode(self._array(objects))
        except msgspec.ValidationError as error:
            msg = f"{self._source}: {error}"
            raise SyncFailed(msg) from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    def _decode_leniently(self, objects: bytes) -> list[Any] | None:
        """Return objects with their invalid Unicode replaced; None if something else is wrong."""
        try:
            value = parse_json(self._array(objects), self._source)
        except Retriable:
            return None
        return self._decode_array(self._separator + msgspec.json.encode(value)[1:-1])

    def _array(self, objects: bytes) -> bytes:
        """Return further objects as an array; no bytes (not JSON) if their comma is missing."""
        objects = objects.lstrip()
        return (
            b"[%b]" % objects[len(self._separator) :]
            if objects.startswith(self._separator)
            else b""
        )


class CsvRows:
    """A parser of CSV that returns rows as lists of strings; ``header`` is None until it arrives.

    A line feed inside quotes belongs to its field: a line feed ends a row if the number of quotes
    before it is even.
    """

    def __init__(self, source: str) -> None:
        csv.field_size_limit(MAX_ROW_BYTES)
        self._source = source
        self._rest = b""
        self.header: list[str] | None = None

    def push(self, piece: bytes) -> list[Any]:
        """Return the rows that ``piece`` completes.

        Raises:
            Retriable: if the body is not CSV, or a row is too long.
            SyncFailed: if a row cannot be parsed.
        """
        self._rest += piece
        end = self._end_of_rows()
        block, self._rest = self._rest[:end], self._rest[end:]
        _check_length(len(self._rest), self._source)
        return self._parse(block)

    def finalize(self) -> list[Any]:
        """Return the last row, which need not end with a line feed.

        Raises:
            Retriable: if the body ends inside quotes, or has no header.
            SyncFailed: if the row cannot be parsed.
        """
        if self._rest.count(b'"') % 2:
            msg = f"{self._source}: the body ends before its last row is complete"
            raise Retriable(msg)
        rows = self._parse(self._rest)
        if self.header is None:
            msg = f"{self._source}: the body has no header"
            raise Retriable(msg)
        return rows

    def _end_of_rows(self) -> int:
        end = self._rest.rfind(b"\n") + 1
        quotes = self._rest.count(b'"', 0, end)
        while end and quotes % 2:
            before = self._rest.rfind(b"\n", 0, end - 1) + 1
            quotes -= self._rest.count(b'"', before, end)
            end = before
        return end

    def _parse(self, block: bytes) -> list[list[str]]:
        if self.header is None:
            block = block.removeprefix(_BOM)
        rows = self._rows_of(block.decode("utf-8", errors="replace"))
        if self.header is None and rows:
            self.header = rows.pop(0)
            self._check_header(self.header)
        return rows

    def _rows_of(self, text: str) -> list[list[str]]:
        problem = None
        for newline in ("\n", ""):  # "" accepts carriage returns that end rows, but is slower
            try:
                return list(filter(None, csv.reader(io.StringIO(text, newline=newline))))
            except csv.Error as error:  # noqa: PERF203  (two iterations)
                problem = error
        msg = f"{self._source}: the body cannot be parsed as CSV: {problem}"
        raise SyncFailed(msg)

    def _check_header(self, header: list[str]) -> None:
        if _NOT_CSV.match(header[0]):
            msg = f"{self._source}: the body is not CSV"
            raise Retriable(msg)


def _check_length(length: int, source: str) -> None:
    if length > MAX_ROW_BYTES:
        msg = f"{source}: a row is longer than {MAX_ROW_BYTES >> 20} MiB"
        raise Retriable(msg)


def parse_rows(pieces: Iterable[bytes], parser: RowParser) -> Iterator[list[Any]]:
    """Yield the rows of a body in batches, as its pieces arrive."""
    for piece in pieces:
        for start in range(0, len(piece), PIECE_BYTES):
            rows = parser.push(piece[start : start + PIECE_BYTES])
            if rows:
                yield rows
    rows = parser.finalize()
    if rows:
        yield rows


def read_with_resume(
    open_batches: Callable[[], Iterator[Sequence[Any]]], sleep: Callable[[float], None]
) -> Generator[Sequence[Any], None, None]:
    """Yield the batches of ``open_batches()``; after an interruption, open it again and resume.

    The rows must be the same each time, as those of a finished export are. The number of
    interruptions is not limited while new rows arrive between them.

    Raises:
        SyncFailed: if five tries in a row bring no new row, or the server asks for a pause that
            is too long.
    """
    yielded = tries = 0
    while True:
        seen = 0
        try:
            for batch in open_batches():
                new = batch[max(0, yielded - seen) :]
                seen += len(batch)
                if new:
                    tries = 0
                    yielded += len(new)
                    yield new
            _check_count(seen, yielded)
        except Retriable as error:
            tries += 1
            pause = pause_after(tries, error)
            if tries >= TRIES or pause > MAX_REQUEST_S:
                raise no_retries_left(error, tries) from None
            logger.warning("%s; resuming after row %d in %.1f s", error, yielded, pause)
            sleep(pause)
        else:
            return


def _check_count(seen: int, yielded: int) -> None:
    if seen < yielded:
        msg = f"a resumed download has {seen} rows, but {yielded} were read from it before"
        raise Retriable(msg)
