"""Parse a JSON array of objects while it arrives; the work grows linearly with its size."""

from __future__ import annotations

import re
from array import array
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import msgspec

from tap_kit.errors import Retriable, SyncFailed
from tap_kit.net.bodies import report_invalid_unicode, valid_unicode
from tap_kit.net.wire import PIECE_BYTES
from tap_kit.rows.streaming import BOM, check_length_without_row, check_row_length

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MAX_CANDIDATES = 4  # possible ends of a row to try in a piece, before its structure is scanned
_AFTER_OBJECT = re.compile(rb"\s*(?:,\s*(?:\{|$)|\]|$)")  # what can follow an object


class JsonRows:
    """A parser of a top-level JSON array of objects. ``source`` names the download in messages.

    ``decode`` returns the rows of a complete JSON array. It raises msgspec's ``DecodeError`` if
    the array is not JSON, and its ``ValidationError`` if an item is not a row.

    A split after a ``}`` is right exactly if the bytes before it are JSON. So the last places of a
    new piece that look like the end of an object are tried first. If none is one, or if an object
    is longer than a piece, :class:`Scanner` finds the end. It looks at each byte once.
    """

    def __init__(self, decode: Callable[[bytes], list[Any]], source: str) -> None:
        self._decode = decode
        self._source = source
        self._head = b""
        self._is_started = False
        self._pieces: list[bytes] = []  # the bytes after the last complete object
        self._length = 0
        self._since_row = 0  # bytes, also of white space that is not kept
        self._scanner: Scanner | None = None  # which has scanned these bytes
        self._separator = b""  # required before the next object

    def push(self, piece: bytes) -> list[Any]:
        """Return the objects that ``piece`` completes.

        Raises:
            Retriable: if the body is not an array of objects, or a row is too long.
            SyncFailed: if a row is nested too deeply.
        """
        size = len(piece)
        if not self._is_started:
            piece = self._start(piece)
        if not self._pieces:
            piece = piece.lstrip()
        rows = self._complete_rows(piece) if piece else []
        self._since_row = self._length if rows else self._since_row + size
        check_row_length(self._length, self._source)
        check_length_without_row(self._since_row, self._source)
        return rows

    def finalize(self) -> list[Any]:
        """Return the objects after the last place where the bytes before were JSON.

        They were not returned before if they have invalid Unicode and no piece follows them.

        Raises:
            Retriable: if the array is not closed.
        """
        rest, rows = self._take_pieces(b"").strip(), []
        if self._is_started and rest != b"]" and (end := Scanner().scan(rest)):
            parts = [rest[end:].strip(), rest[:end]]
            del rest  # a row can be large
            rows = self._decode_objects(parts.pop())
            (rest,) = parts
        if not self._is_started or rest != b"]":
            msg = f"{self._source}: the body ends before its last row is complete"
            raise Retriable(msg)
        return rows

    def _start(self, piece: bytes) -> bytes:
        """Return what follows the bracket that opens the array."""
        head = self._head + piece
        start = head.removeprefix(BOM).lstrip()
        if not start or BOM.startswith(head):
            self._head = head[: len(BOM)]  # enough to recognize a byte-order mark
            return b""
        if start[:1] != b"[":
            msg = f"{self._source}: the body is not a JSON array"
            raise Retriable(msg)
        self._is_started = True
        return start[1:]

    def _complete_rows(self, piece: bytes) -> list[Any]:
        if self._scanner is None:
            ends = list(_possible_ends(piece))
            if not ends and self._length + len(piece) <= PIECE_BYTES:
                self._keep(piece)
                return []
            before, piece = self._length, self._take_pieces(piece)
            for end in ends if before <= PIECE_BYTES else ():
                rows = self._decode_array(piece[: before + end])
                if rows is not None:
                    self._separator = b","
                    self._begin_row(piece[before + end :])
                    return rows
            self._scanner = Scanner()
        end = self._scanner.scan(piece)
        if not end:
            self._keep(piece)
            if self._scanner.depth > _MAX_DEPTH:
                raise self._too_deep()
            return []
        rows = self._decode_objects(self._take_pieces(piece[:end]))
        self._begin_row(piece[end:])
        self._separator = b","
        return rows

    def _decode_objects(self, objects: bytes) -> list[Any]:
        """Return objects, with their invalid Unicode replaced.

        Raises:
            Retriable: if something else is wrong.
        """
        rows = self._decode_array(objects)
        if rows is not None:
            return rows
        objects = valid_unicode(objects)  # nothing refers to the old bytes: a row can be large
        rows = self._decode_array(objects)
        if rows is None:
            msg = f"{self._source}: the body is not a JSON array of objects"
            raise Retriable(msg)
        report_invalid_unicode(self._source)
        return rows

    def _keep(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._length += len(piece)

    def _take_pieces(self, piece: bytes) -> bytes:
        """Return the bytes after the last complete object, with a further piece."""
        joined = b"".join((*self._pieces, piece))
        self._pieces, self._length = [], 0
        return joined

    def _begin_row(self, rest: bytes) -> None:
        """Keep the bytes after an object, which are not scanned."""
        self._scanner = None
        rest = rest.lstrip()
        if rest:
            self._keep(rest)

    def _decode_array(self, objects: bytes) -> list[Any] | None:
        try:
            return self._decode(self._array(objects))
        except msgspec.ValidationError as error:
            msg = f"{self._source}: {error}"
            raise SyncFailed(msg) from None
        except RecursionError:
            raise self._too_deep() from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    def _too_deep(self) -> SyncFailed:
        return SyncFailed(f"{self._source}: a row is nested too deeply")

    def _array(self, objects: bytes) -> bytes:
        """Return further objects as an array; no bytes (not JSON) if their comma is missing."""
        return (
            b"".join((b"[", memoryview(objects)[len(self._separator) :], b"]"))
            if objects.startswith(self._separator)
            else b""
        )


def _possible_ends(piece: bytes) -> Iterator[int]:
    """Yield the last places in a piece that look like the end of an object, the last one first."""
    end = len(piece)
    for _ in range(_MAX_CANDIDATES):
        end = piece.rfind(b"}", 0, end)
        if end < 0:
            return
        if _AFTER_OBJECT.match(piece, end + 1):
            yield end + 1


class Scanner:
    """Finds the ends of objects in JSON that arrives in pieces, without decoding it.

    All work on single bytes is done by methods of ``bytes``, for any content. What is not JSON
    gets some result; the decoder rejects it.
    """

    def __init__(self) -> None:
        self.depth = 0  # the number of open brackets
        self._is_in_string = False
        self._is_escaped = False  # the next byte follows a backslash

    def scan(self, piece: bytes) -> int:
        """Return the end of the last object that ``piece`` completes; 0 if there is none."""
        parts = self._without_escapes(piece).split(b'"')
        first = int(self._is_in_string)  # of the parts outside of strings
        self._is_in_string = (first + len(parts)) % 2 == 0
        brackets = b"".join(parts[first::2]).translate(_SQUARE, _OTHERS)
        depth, opened = self.depth, brackets.count(b"[")
        self.depth += opened - (len(brackets) - opened)
        if depth and _without_pairs(brackets).count(b"]") < depth:
            return 0  # so many closing brackets cannot close the object
        depths = accumulate(array("b", brackets.translate(_STEPS)), initial=depth)
        after = [*depths][:0:-1]  # each bracket, the last one first
        return _end_of_bracket(parts, first, after.index(0)) if 0 in after else 0

    def _without_escapes(self, piece: bytes) -> bytes:
        """Return ``piece`` with other bytes for escaped quotes, in the same places."""
        if self._is_escaped:
            piece = b"x" + piece[1:]
        piece = piece.replace(rb"\\", b"xx").replace(rb"\"", b"xx")
        self._is_escaped = piece.endswith(b"\\")
        return piece


_OTHERS = bytes({*range(256)} - {*b"[]{}"})
_NO_BRACKETS = bytes.maketrans(b"[]{}", b"xxxx")
_SQUARE = bytes.maketrans(b"{}", b"[]")
_ONE_KIND = bytes.maketrans(b"]{}", b"[[[")
_STEPS = bytes.maketrans(b"[]", b"\x01\xff")  # 1 and -1 as signed bytes
_TOWERS = [
    b"[" * height + b"]" * height for height in (1, 512, 256, 128, 64, 32, 16, 8, 4, 2, 1, 1)
]
_MAX_DEPTH = 10_000  # far more than a decoder accepts


def _without_pairs(brackets: bytes) -> bytes:
    """Return brackets without most of those that are closed again."""
    for tower in _TOWERS:
        brackets = brackets.replace(tower, b"")
    return brackets


def _end_of_bracket(parts: list[bytes], first: int, later: int) -> int:
    """Return the end of the bracket that ``later`` brackets follow.

    ``parts`` are what quotes separate: each second one, from ``first`` on, is outside of strings.
    """
    inside = slice(1 - first, None, 2)
    if parts[inside]:
        parts[inside] = b'"'.join(parts[inside]).translate(_NO_BRACKETS).split(b'"')
    text = b'"'.join(parts).translate(_ONE_KIND)
    start, end = 0, len(text)
    while end - start > 1:
        middle = (start + end) // 2
        count = text.count(b"[", middle, end)
        if count > later:
            start = middle
        else:
            end, later = middle, later - count
    return end
