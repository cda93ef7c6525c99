"""Read ``index.csv`` and ``status.csv``, which say what an export has."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, NamedTuple

from tap_kit import CsvRows, Retriable, SyncFailed, parse_rows, short_text

from tap_kissmetrics.raw_exports.fields import time_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

logger = logging.getLogger(__name__)

INDEX, STATUS = "index.csv", "status.csv"
MAX_FILES = 250_000  # hourly ones of 28 years; they and their list take about 200 MB
MAX_INDEX_BYTES, MAX_STATUS_BYTES = 64 << 20, 1 << 16
REVISIONS = "revisions"
_COLUMNS = frozenset(
    {
        *("filename", "min_timestamp", "max_timestamp"),
        *("total_revisions", "exported_revisions", "max_exported_revision_timestamp"),
    }
)
MAX_REVISION = 10**12 - 1
_FILE = re.compile(r"revisions/(0|[1-9][0-9]{0,11})\.json")


class Indexed(NamedTuple):
    """A file by the index; the times are those of receipt, and approximate."""

    revision: int
    min_timestamp: datetime | None = None
    max_timestamp: datetime | None = None

    @property
    def file(self) -> str:
        """The name of the file."""
        return file_of(self.revision)


class Status(NamedTuple):
    """How far the export is, by ``status.csv``; None for what it does not say."""

    total: int | None
    exported: int | None
    until: datetime | None


def file_of(revision: int) -> str:
    """Return the name of a revision's file."""
    return f"{REVISIONS}/{revision}.json"


def revision_of(file: str) -> int | None:
    """Return the revision of a file; None if the name is not that of a revision."""
    found = _FILE.fullmatch(file)
    return int(found[1]) if found else None


def parse_index(body: bytes, source: str) -> dict[int, Indexed]:
    """Return the files in ``index.csv`` by revision, in the order of revisions.

    Raises:
        SyncFailed: if it is not an index; the message names the row.
    """
    entries: dict[int, Indexed] = {}
    for number, row in enumerate(_rows(body, source, "filename"), 2):
        revision = revision_of(row["filename"].strip())
        if revision is None:
            name = short_text(row["filename"], 60)
            msg = f"{source}: row {number} must name a file such as revisions/1.json, got {name!r}"
            raise SyncFailed(msg)
        entry = Indexed(revision, _time(row, "min_timestamp"), _time(row, "max_timestamp"))
        if entries.setdefault(revision, entry) != entry:
            logger.warning("%s: revision %d is there twice; using the last row", source, revision)
            entries[revision] = entry
        if len(entries) > MAX_FILES:
            msg = f"{source}: it has more than {MAX_FILES:,} files"
            raise SyncFailed(msg)
    return dict(sorted(entries.items()))


def parse_status(body: bytes, source: str) -> Status:
    """Return what ``status.csv`` says.

    Raises:
        SyncFailed: if it is not CSV with a header.
    """
    row = next(_rows(body, source, "exported_revisions"), {})
    return Status(
        _number(row, "total_revisions"),
        _number(row, "exported_revisions"),
        _time(row, "max_exported_revision_timestamp"),
    )


def _rows(body: bytes, source: str, required: str) -> Iterator[dict[str, str]]:
    """Yield the known columns of each row."""
    parser = CsvRows(source)
    places: dict[str, int] = {}
    try:
        for rows in parse_rows([body], parser):
            places = places or _places(parser, required, source)
            for row in rows:
                yield {n: row[at] if at < len(row) else "" for n, at in places.items()}
    except Retriable as error:
        raise SyncFailed(str(error)) from None
    _places(parser, required, source)


def _places(parser: CsvRows, required: str, source: str) -> dict[str, int]:
    """Return the places of the known columns."""
    names = [name.strip() for name in parser.header or ()]
    if required not in names:
        msg = f"{source}: it must have the column {required}"
        raise SyncFailed(msg)
    if twice := [name for name in names if name in _COLUMNS and names.count(name) > 1]:
        msg = f"{source}: it has the column {twice[0]} twice"
        raise SyncFailed(msg)
    return {name: at for at, name in enumerate(names) if name in _COLUMNS}


def _number(row: dict[str, str], name: str) -> int | None:
    text = row.get(name, "").strip()
    return int(text) if re.fullmatch("[0-9]{1,12}", text) else None


def _time(row: dict[str, str], name: str) -> datetime | None:
    return time_of(row.get(name, "").strip())
