"""The standard streams of the process: closed ones, whole lines, and errors of writing."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
from typing import TYPE_CHECKING

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Buffer

_STREAMS = (0, 1, 2)
_errors: list[OSError] = []


class _Output(io.FileIO):
    """Standard output that remembers its errors, to tell them from those of other files."""

    @override
    def write(self, data: Buffer, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            _errors.append(error)
            raise


def open_closed_streams() -> None:
    """Open the null device for each standard stream that is closed.

    Otherwise the next connection or file would get its number, and the log would be written there.
    Standard output stays None, as Python makes it, so that a run without it can be refused.
    """
    for number in _STREAMS:
        if not _is_open(number):
            os.open(os.devnull, os.O_RDWR)  # it gets the lowest free number
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        for handler in logging.getLogger().handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.setStream(sys.stderr)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def buffer_output() -> None:
    """Write whole lines to standard output, even with ``PYTHONUNBUFFERED``, and note its errors.

    If a signal arrives during an unbuffered write to a full pipe, Python drops the rest of the
    data: a line would be cut, and the state would follow it.
    """
    is_original = sys.stdout is sys.__stdout__  # not replaced, neither here nor by a test
    if is_original and (original := sys.stdout) is not None:
        raw = _Output(original.fileno(), "w", closefd=False)
        whole_lines = bool(original.line_buffering)
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(raw), encoding="utf-8", line_buffering=whole_lines
        )


@contextlib.contextmanager
def flushed_output() -> Iterator[None]:
    """Flush standard output at the end, or when the command exits inside.

    Python itself flushes it too late to report an error in one line.
    """
    try:
        yield
    except (SystemExit, RuntimeError):  # click's own exit is a RuntimeError
        sys.stdout.flush()
        raise
    sys.stdout.flush()


def is_output_error(error: BaseException) -> bool:
    """Return whether an error is one of writing to standard output."""
    return any(error is one for one in _errors)


def discard_output() -> None:
    """Discard what is written from now on, and what is still buffered.

    Without this, Python tries to write the buffered data again when it exits.
    """
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
