"""Rows out of a body of any size, while it arrives, in constant memory.

A parser is given pieces of bytes as they come and gives back the rows that are complete, so that
a slow source's rows do not wait. It cuts the bytes behind the last complete row and leaves the
parsing itself to compiled code.
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
from tap_kit.net.retries import LONGEST_S, TRIES, no_retries_left, pause_after
from tap_kit.net.wire import PIECE

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

logger = logging.getLogger(__name__)

_BOM = b"\xef\xbb\xbf"
_CANDIDATES = 4  # how many ends of a row are tried in a piece before more bytes are waited for
LONGEST_ROW = 1 << 26  # bytes, and characters of a CSV field: Python's own limit is too low
_NO_TABLE = re.compile(r"\s*(?:<|\{|\[\s*[\[{\"\]])")  # how HTML and JSON begin
_NEXT_OBJECT = re.compile(rb"\s*(?:,\s*(?:\{|$)|\]|$)")  # what can stand behind an object


class RowParser(Protocol):
    """Turns pieces of a body into rows."""

    def push(self, piece: bytes) -> list[Any]:
        """The rows that ``piece`` completes."""

    def finalize(self) -> list[Any]:
        """The rows that the end of the body completes.

        Raises:
            Retriable: when the body ends in the middle.
        """


class JsonRows:
    """A top-level array of objects. ``source`` names the download in messages.

    ``decode`` makes rows of a JSON array that is complete. It raises msgspec's ``DecodeError`` for
    what is not JSON, and its ``ValidationError`` for what is no row. A cut behind a ``}`` is right
    exactly when what is in front of it is JSON: a brace in a text or in a nested object leaves
    something open.
    """

    def __init__(self, decode: Callable[[bytes], list[Any]], source: str) -> None:
        self._decode = decode
        self._source = source
        self._rest = b""
        self._begun = False
        self._lead = b""  # what has to stand before the next object

    def push(self, piece: bytes) -> list[Any]:
        """The objects that ``piece`` completes.

        Raises:
            Retriable: when it is no list, or when there is no end to one of its rows.
        """
        self._rest += piece
        if not self._begun and not self._begin():
            return []
        rows = self._cut()
        _check_length(len(self._rest), self._source)
        return rows

    def finalize(self) -> list[Any]:
        """Nothing more: each object was given when it was complete. The array has to be closed.

        Raises:
            Retriable: when it is not.
        """
        if not self._begun or self._rest.strip() != b"]":
            msg = f"{self._source}: the body ends in the middle of its rows"
            raise Retriable(msg)
        return []

    def _begin(self) -> bool:
        start = self._rest.removeprefix(_BOM).lstrip()
        if not start or _BOM.startswith(start):
            return False
        if start[:1] != b"[":
            msg = f"{self._source}: the body is no list of rows"
            raise Retriable(msg)
        self._rest, self._begun = start[1:], True
        return True

    def _cut(self) -> list[Any]:
        ends = list(self._ends())
        for end in ends:
            rows = self._decoded(self._rest[:end])
            if rows is not None:
                return self._taken(rows, end)
        if ends:
            rows = self._sloppily_decoded(self._rest[: ends[0]])
            if rows is not None:
                return self._taken(rows, ends[0])
        return []

    def _taken(self, rows: list[Any], end: int) -> list[Any]:
        self._rest, self._lead = self._rest[end:], b","
        return rows

    def _ends(self) -> Iterator[int]:
        """The likely ends of an object, the last ones first."""
        end, found = len(self._rest), 0
        while found < _CANDIDATES and (end := self._rest.rfind(b"}", 0, end)) >= 0:
            if _NEXT_OBJECT.match(self._rest, end + 1):
                found += 1
                yield end + 1

    def _decoded(self, objects: bytes) -> list[Any] | None:
        try:
            return self._decode(self._array(objects))
        except msgspec.ValidationError as error:
            msg = f"{self._source}: {error}"
            raise SyncFailed(msg) from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    def _sloppily_decoded(self, objects: bytes) -> list[Any] | None:
        """Texts that are not valid Unicode made valid; None where that is not what is wrong."""
        try:
            value = parse_json(self._array(objects), self._source)
        except Retriable:
            return None
        return self._decoded(self._lead + msgspec.json.encode(value)[1:-1])

    def _array(self, objects: bytes) -> bytes:
        """Further objects as an array of their own; no JSON where the comma is missing."""
        objects = objects.lstrip()
        return b"[%b]" % objects[len(self._lead) :] if objects.startswith(self._lead) else b""


class CsvRows:
    """CSV with a header, as lists of texts; ``header`` is None until it has come.

    Line feeds within quotes belong to their field: a line feed ends a row when the number of
    quotes in front of it is even.
    """

    def __init__(self, source: str) -> None:
        csv.field_size_limit(LONGEST_ROW)
        self._source = source
        self._rest = b""
        self.header: list[str] | None = None

    def push(self, piece: bytes) -> list[Any]:
        """The rows that ``piece`` completes.

        Raises:
            Retriable: when it is no table, or when there is no end to one of its rows.
        """
        self._rest += piece
        end = self._end_of_rows()
        block, self._rest = self._rest[:end], self._rest[end:]
        _check_length(len(self._rest), self._source)
        return self._parsed(block)

    def finalize(self) -> list[Any]:
        """The last row, which needs no line feed behind it.

        Raises:
            Retriable: when the body ends within quotes, or is no table at all.
        """
        if self._rest.count(b'"') % 2:
            msg = f"{self._source}: the body ends in the middle of a row"
            raise Retriable(msg)
        rows = self._parsed(self._rest)
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

    def _parsed(self, block: bytes) -> list[list[str]]:
        if self.header is None:
            block = block.removeprefix(_BOM)
        rows = self._rows_of(block.decode("utf-8", errors="replace"))
        if self.header is None and rows:
            self.header = rows.pop(0)
            self._check_header(self.header)
        return rows

    def _rows_of(self, text: str) -> list[list[str]]:
        problem = None
        for newline in ("\n", ""):  # "" is for carriage returns that end rows, and takes longer
            try:
                return list(filter(None, csv.reader(io.StringIO(text, newline=newline))))
            except csv.Error as error:  # noqa: PERF203  (two turns)
                problem = error
        msg = f"{self._source}: not readable as CSV: {problem}"
        raise SyncFailed(msg)

    def _check_header(self, header: list[str]) -> None:
        if _NO_TABLE.match(header[0]):
            msg = f"{self._source}: the body is no table of rows"
            raise Retriable(msg)


def _check_length(length: int, source: str) -> None:
    if length > LONGEST_ROW:
        msg = f"{source}: a row does not end within {LONGEST_ROW >> 20} MiB"
        raise Retriable(msg)


def parsed(pieces: Iterable[bytes], parser: RowParser) -> Iterator[list[Any]]:
    """The rows of a body, batch by batch as its pieces arrive."""
    for piece in pieces:
        for begin in range(0, len(piece), PIECE):
            rows = parser.push(piece[begin : begin + PIECE])
            if rows:
                yield rows
    rows = parser.finalize()
    if rows:
        yield rows


def resumed(
    begin: Callable[[], Iterator[Sequence[Any]]], sleep: Callable[[float], None]
) -> Generator[Sequence[Any], None, None]:
    """The batches of ``begin()``; when it breaks off it is begun again, without the rows given.

    The body has to be the same each time, as that of a finished export is. As long as rows come,
    it may break off as often as it likes.

    Raises:
        SyncFailed: when it breaks off five times in a row without a new row, or the server asks
            for more patience than there is.
    """
    given = tries = 0
    while True:
        seen = 0
        try:
            for batch in begin():
                fresh = batch[max(0, given - seen) :]
                seen += len(batch)
                if fresh:
                    tries = 0
                    given += len(fresh)
                    yield fresh
            _check_count(seen, given)
        except Retriable as error:
            tries += 1
            pause = pause_after(tries, error)
            if tries >= TRIES or pause > LONGEST_S:
                raise no_retries_left(error, tries) from None
            logger.warning("%s; begun again behind row %d in %.1f s", error, given, pause)
            sleep(pause)
        else:
            return


def _check_count(seen: int, given: int) -> None:
    if seen < given:
        msg = f"a download that was begun again has {seen} rows, of which {given} came before"
        raise Retriable(msg)
