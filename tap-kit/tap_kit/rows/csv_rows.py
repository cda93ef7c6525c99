"""Parse CSV while it arrives; the work grows linearly with its size."""

from __future__ import annotations

import csv
import io
import logging
import re
from typing import TYPE_CHECKING, Any

from tap_kit.errors import Retriable, SyncFailed
from tap_kit.net.wire import PIECE_BYTES
from tap_kit.rows import streaming
from tap_kit.rows.streaming import BOM, check_length_without_row, check_row_length

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

logger = logging.getLogger(__name__)

MAX_CELLS = 100_000  # of a row; a list of the cells takes several times the memory of the row
_NO_LINE_FEEDS = bytes.maketrans(b"\n", b"x")
_NOT_DOUBLED = "a quote in a field is not doubled"
_PROBLEMS = {"unexpected end of data": _NOT_DOUBLED, "',' expected after '\"'": _NOT_DOUBLED}
_NOT_CSV = re.compile(r"\s*(?:<|\{|\[\s*[\[{\"\]])|.*\0")  # how HTML, JSON and UTF-16 begin


class CsvRows:
    """A parser of CSV that returns rows as lists of strings; ``header`` is None until it arrives.

    A line feed inside quotes belongs to its field: a line feed ends a row if the number of quotes
    before it is even. Each byte is looked at when it arrives, and again when its row is complete.
    """

    def __init__(self, source: str) -> None:
        csv.field_size_limit(streaming.MAX_ROW_BYTES)
        self._source = source
        self._pieces: list[bytes] = []  # the bytes after the last complete row
        self._length = 0
        self._commas = 0  # in them, outside of quotes
        self._since_row = 0  # bytes, also of empty lines, which are not kept
        self._is_quoted = False  # the number of quotes in them is odd
        self._is_invalid = False
        self.header: list[str] | None = None

    def push(self, piece: bytes) -> list[Any]:
        """Return the rows that ``piece`` completes.

        Raises:
            Retriable: if the body is not CSV, or a row is too long or has too many cells.
            SyncFailed: if a row cannot be parsed.
        """
        rows = self._complete_rows(piece)
        self._since_row = self._length if rows else self._since_row + len(piece)
        check_length_without_row(self._since_row, self._source)
        return rows

    def _complete_rows(self, piece: bytes) -> list[Any]:
        end = end_of_rows(piece, is_quoted=self._is_quoted)
        if not end:
            self._keep(piece)
            return []
        if self._length > PIECE_BYTES:
            first = _without_quoted_line_feeds(piece, is_quoted=self._is_quoted).index(b"\n") + 1
            rows = self._parse(self._take_pieces(piece[:first]), is_one_row=True)
            return [*rows, *self._complete_rows(piece[first:])]
        block = self._take_pieces(piece[:end])
        self._keep(piece[end:])
        return self._parse(block)

    def finalize(self) -> list[Any]:
        """Return the last row, which need not end with a line feed.

        Raises:
            Retriable: if the body ends inside quotes or before the last cell, or has no header.
            SyncFailed: if the row cannot be parsed.
        """
        if self._is_quoted:
            raise self._incomplete()
        is_one_row, rest = self._length > PIECE_BYTES, self._take_pieces(b"")
        rows = self._parse(rest, is_one_row=is_one_row)
        if self.header is None:
            msg = f"{self._source}: the body has no header"
            raise Retriable(msg)
        if rows and len(rows[-1]) < len(self.header) and not rest.endswith(b"\r"):
            raise self._incomplete()
        return rows

    def _incomplete(self) -> Retriable:
        return Retriable(f"{self._source}: the body ends before its last row is complete")

    def _keep(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._length += len(piece)
        self._commas += _commas_in(piece, is_quoted=self._is_quoted)
        self._is_quoted ^= piece.count(b'"') % 2 == 1
        check_row_length(self._length, self._source)
        if self._commas > MAX_CELLS:
            msg = f"{self._source}: a row has more than {MAX_CELLS:,} cells"
            raise Retriable(msg)

    def _take_pieces(self, piece: bytes) -> bytes:
        """Return the bytes after the last complete row, with a further piece."""
        joined = b"".join((*self._pieces, piece)) if self._pieces else piece
        self._pieces, self._length, self._is_quoted, self._commas = [], 0, False, 0
        return joined

    def _parse(self, block: bytes, *, is_one_row: bool = False) -> list[list[str]]:
        if self.header is None:
            block = block.removeprefix(BOM)
        rows = self._rows_of(self._decoded(block), is_one_row=is_one_row)
        if self.header is None and rows:
            self.header = rows.pop(0)
            self._check_header(self.header)
        return rows

    def _decoded(self, block: bytes) -> str:
        try:
            return block.decode()
        except UnicodeDecodeError:
            if not self._is_invalid:
                self._is_invalid = True
                logger.warning(
                    "%s: replaced invalid Unicode in the response with U+FFFD", self._source
                )
            return block.decode(errors="replace")

    def _rows_of(self, text: str, *, is_one_row: bool) -> list[list[str]]:
        problem = ""
        for lines in lines_of(text, is_one_row=is_one_row):
            rows = _read(lines)
            if isinstance(rows, list):
                return rows
            problem = rows
        msg = f"{self._source}: the body cannot be parsed as CSV: {problem}"
        raise SyncFailed(msg)

    def _check_header(self, header: list[str]) -> None:
        if _NOT_CSV.match(header[0]):
            msg = f"{self._source}: the body is not CSV"
            raise Retriable(msg)


def _read(lines: Iterable[str]) -> list[list[str]] | str:
    """Return the rows that are not empty, or what is wrong with them.

    Without ``strict``, a row could be cut in the middle of a field, or change its text.
    """
    try:
        return list(filter(None, csv.reader(lines, strict=True)))
    except csv.Error as error:
        return _PROBLEMS.get(str(error), str(error))


def end_of_rows(piece: bytes, *, is_quoted: bool) -> int:
    """Return the end of the last row that ends in ``piece``; 0 if there is none."""
    end = piece.rfind(b"\n") + 1
    if is_quoted and b'"' not in piece:
        return 0
    if end and (piece.count(b'"', 0, end) + is_quoted) % 2:
        return _without_quoted_line_feeds(piece, is_quoted=is_quoted).rfind(b"\n") + 1
    return end


def _commas_in(piece: bytes, *, is_quoted: bool) -> int:
    """Return the number of commas outside of quotes."""
    if b'"' not in piece:
        return 0 if is_quoted else piece.count(b",")
    return b"".join(piece.split(b'"')[int(is_quoted) :: 2]).count(b",")


def lines_of(text: str, *, is_one_row: bool) -> Iterator[Iterable[str]]:
    """Yield the ways to split a text into lines; a later one is for what an earlier one rejects."""
    if is_one_row:
        yield [text]  # a long field can consist of line feeds
    yield io.StringIO(text, newline="\n")
    yield io.StringIO(text, newline="")  # carriage returns end rows, too; slower


def _without_quoted_line_feeds(piece: bytes, *, is_quoted: bool) -> bytes:
    """Return ``piece`` with other bytes for the line feeds inside of quotes, in the same places.

    ``is_quoted``: the piece begins inside of quotes. All work on single bytes is done by methods
    of ``bytes``, for any content. Two quotes in a row change nothing for what follows.
    """
    parts = piece.replace(b'""', b"xx").split(b'"')
    inside = slice(int(not is_quoted), None, 2)
    if parts[inside]:
        parts[inside] = b'"'.join(parts[inside]).translate(_NO_LINE_FEEDS).split(b'"')
    return b'"'.join(parts)
