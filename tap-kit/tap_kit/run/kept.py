"""Keep what a run has learned in a file, for later runs; no run depends on the file."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

if TYPE_CHECKING:
    import logging

T = TypeVar("T")

MAX_BYTES = 32 << 20
_UNUSABLE = (OSError, ValueError)  # a ValueError is raised for a path that no file can have


class _ForeignError(Exception):
    """The file is not one that a tap of this user has written; the message says why."""


class KeptFile(Generic[T]):
    """A private JSON file of one value, whose type is ``kind``.

    A file that is broken, or that another user wrote, is ignored with a warning. So is a folder
    that cannot be written. A file is replaced in one step: a reader finds the old or the new one.
    """

    def __init__(self, path: Path, kind: type[T], logger: logging.Logger) -> None:
        self.path = path
        self._decoder = msgspec.json.Decoder(kind)
        self._logger = logger

    def read(self) -> T | None:
        """Return the value; None if there is no file, or if it is ignored."""
        try:
            return self._decoder.decode(_own_bytes(self.path))
        except FileNotFoundError:
            return None
        except (*_UNUSABLE, _ForeignError, msgspec.DecodeError, RecursionError) as error:
            self._logger.warning("Ignoring the file %s: %s", self.path, _reason(error))
        return None

    def write(self, value: T) -> None:
        """Replace the file; only its user can read it."""
        content = msgspec.json.encode(value)
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _replace(self.path, content)
        except _UNUSABLE as error:
            self._logger.warning("The file %s cannot be written: %s", self.path, _reason(error))


def _reason(error: BaseException) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _own_bytes(path: Path) -> bytes:
    """Return the content of a regular file of this user."""
    # Neither the target of a link nor the writer of a pipe is waited for.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            msg = "it is not a regular file"
            raise _ForeignError(msg)
        if status.st_uid != os.geteuid():
            msg = "it belongs to another user"
            raise _ForeignError(msg)
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        msg = f"it is larger than {MAX_BYTES >> 20} MiB"
        raise _ForeignError(msg)
    return content


def _replace(path: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
