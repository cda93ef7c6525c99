"""What a store of files offers, whether it is a bucket in S3 or a folder."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Stored(NamedTuple):
    """A file in the store: its size in bytes, and a text that changes when it is written again."""

    size: int
    etag: str


class MissingFileError(Exception):
    """The store does not have a file."""


class Store(Protocol):
    """A place with the files of an export; safe to use from several threads.

    ``url`` names it in messages. Each method raises the kit's errors: one line with the place.
    """

    url: str

    def files(self) -> dict[int, Stored]:
        """Return the files of all revisions in the store, by revision."""

    def read_whole(self, file: str, limit: int) -> bytes:
        """Return a file that has at most ``limit`` bytes.

        Raises:
            MissingFileError: if there is none.
        """

    def read_part(self, file: str, stored: Stored, start: int, length: int) -> bytes:
        """Return ``length`` bytes of a file that is still the one that was listed as ``stored``.

        Raises:
            MissingFileError: if there is none.
            JobFailed: if it was written again since it was listed.
        """
