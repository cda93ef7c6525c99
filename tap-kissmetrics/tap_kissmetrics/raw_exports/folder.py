"""A folder as a store: a copy of the bucket."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tap_kit import JobFailed, SyncFailed

from tap_kissmetrics.raw_exports.index import REVISIONS, revision_of
from tap_kissmetrics.raw_exports.store import MissingFileError, Stored

if TYPE_CHECKING:
    from collections.abc import Iterator


_IS_NOT_THERE = (errno.ENOENT, errno.ELOOP)  # deleted, or a link to nothing or to itself


class Folder:
    """The folder at ``path``. Only its regular files are read, in parts of a given length."""

    def __init__(self, path: str) -> None:
        self.url = path
        self._path = Path(path)

    def files(self) -> dict[int, Stored]:
        """Return the files of all revisions, by revision."""
        found = {}
        try:
            with os.scandir(self._path / REVISIONS) as entries:
                for entry in entries:
                    revision = revision_of(f"{REVISIONS}/{entry.name}")
                    if revision is not None:
                        try:
                            found[revision] = _stored(entry.stat())
                        except OSError as error:
                            if error.errno not in _IS_NOT_THERE:
                                raise
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._failed(REVISIONS, error) from None
        return found

    def read_whole(self, file: str, limit: int) -> bytes:
        """Return a file that has at most ``limit`` bytes."""
        with self._opened(file) as descriptor:
            size = os.fstat(descriptor).st_size
            if size > limit:
                msg = f"{self.url}: {file} must have at most {limit:,} bytes, got {size:,}"
                raise SyncFailed(msg)
            return _read(descriptor, 0, size)

    def read_part(self, file: str, stored: Stored, start: int, length: int) -> bytes:
        """Return a part of a file that is still the one that was listed."""
        try:
            with self._opened(file) as descriptor:
                if _stored(os.fstat(descriptor)) != stored:
                    msg = f"{self.url}: {file} was written again while it was read; run again"
                    raise JobFailed(msg)
                return _read(descriptor, start, length)
        except SyncFailed as error:  # only of this file: the others can be read
            raise JobFailed(str(error)) from None

    @contextmanager
    def _opened(self, file: str) -> Iterator[int]:
        try:
            # Without waiting for the writer of a pipe.
            descriptor = os.open(self._path / file, os.O_RDONLY | os.O_NONBLOCK)
        except FileNotFoundError:
            raise MissingFileError(file) from None
        except OSError as error:
            raise self._failed(file, error) from None
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                msg = f"{self.url}: {file} must be a file"
                raise SyncFailed(msg)
            yield descriptor
        except OSError as error:
            raise self._failed(file, error) from None
        finally:
            os.close(descriptor)

    def _failed(self, file: str, error: OSError) -> SyncFailed:
        return SyncFailed(f"{self.url}: {file} cannot be read: {error.strerror or error}")


def _stored(status: os.stat_result) -> Stored:
    return Stored(status.st_size, str(status.st_mtime_ns))


def _read(descriptor: int, start: int, length: int) -> bytes:
    """Return a part of a file; shorter than ``length`` only if the file ends before."""
    parts = []
    while length and (part := os.pread(descriptor, length, start)):
        parts.append(part)
        start, length = start + len(part), length - len(part)
    return b"".join(parts)
