"""Split files into lines of a limited length, as their pieces arrive."""

from __future__ import annotations

MAX_LINE_BYTES = 1 << 20
KEPT_BYTES = 1 << 16  # of a line that is too long
BOM = b"\xef\xbb\xbf"


class CutLine(bytes):
    """The beginning of a line that is too long, and its whole ``length``."""

    length: int

    @classmethod
    def of(cls, beginning: bytes, length: int) -> CutLine:
        """Return the line that begins so."""
        line = cls(beginning[:KEPT_BYTES])
        line.length = length
        return line


class LineSplitter:
    """Splits pieces of a file into lines, without their line feeds; keeps at most one line."""

    def __init__(self) -> None:
        self._rest = b""
        self._length = 0  # of a line that is too long
        self._is_started = False

    def push(self, piece: bytes) -> list[bytes]:
        """Return the lines that ``piece`` completes. The first piece has the byte-order mark."""
        if not self._is_started:
            self._is_started = True
            piece = piece.removeprefix(BOM)
        first, *more = piece.split(b"\n")
        self._extend(first)
        if not more:
            return []
        lines = [self._take(), *more[:-1]]
        self._extend(more[-1])
        if max(map(len, lines)) > MAX_LINE_BYTES:
            return [_limited(line) for line in lines]
        return lines

    def finalize(self) -> list[bytes]:
        """Return the last line, if it has no line feed."""
        return [self._take()] if self._rest else []

    def _extend(self, part: bytes) -> None:
        if self._length:
            self._length += len(part)
            return
        self._rest += part
        if len(self._rest) > MAX_LINE_BYTES:
            self._length = len(self._rest)
            self._rest = self._rest[:KEPT_BYTES]

    def _take(self) -> bytes:
        line = CutLine.of(self._rest, self._length) if self._length else self._rest
        self._rest, self._length = b"", 0
        return line


def _limited(line: bytes) -> bytes:
    return CutLine.of(line, len(line)) if len(line) > MAX_LINE_BYTES else line
