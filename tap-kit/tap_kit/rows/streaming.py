"""Parse rows from a body of any size while it arrives, in constant memory.

A parser (``json_rows``, ``csv_rows``) receives pieces of bytes and returns the rows that they
complete, so the rows of a slow source are not delayed. It splits the bytes after the last complete
row; compiled code does the parsing.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Protocol

from tap_kit.errors import Retriable
from tap_kit.net.retries import MAX_REQUEST_S, TRIES, no_retries_left, pause_after
from tap_kit.net.wire import PIECE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

logger = logging.getLogger(__name__)

BOM = b"\xef\xbb\xbf"
_MARGIN_BYTES = 1 << 20  # of what stands around a row
MAX_ROW_BYTES = 1 << 26  # also of a CSV field in characters: Python's own limit is too low


class RowParser(Protocol):
    """A parser of the pieces of a body."""

    def push(self, piece: bytes) -> list[Any]:
        """Return the rows that ``piece`` completes."""

    def finalize(self) -> list[Any]:
        """Return the rows that the end of the body completes.

        Raises:
            Retriable: if the body is incomplete.
        """


def check_row_length(length: int, source: str) -> None:
    """Check that a row that is not complete is not too long.

    Raises:
        Retriable: if it is.
    """
    if length > MAX_ROW_BYTES:
        msg = f"{source}: a row is longer than {MAX_ROW_BYTES >> 20} MiB"
        raise Retriable(msg)


def check_length_without_row(length: int, source: str) -> None:
    """Check that not too much arrived since the last row, also of what is no part of a row.

    Raises:
        Retriable: if it is, such as white space without end.
    """
    check_row_length(length - _MARGIN_BYTES, source)


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
