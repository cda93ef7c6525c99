"""The export of one product: its index, its status, its files, and what the log says of them."""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from tap_kit import SyncFailed, setting_error

from tap_kissmetrics.raw_exports.content import Content
from tap_kissmetrics.raw_exports.index import (
    INDEX,
    MAX_INDEX_BYTES,
    MAX_STATUS_BYTES,
    STATUS,
    parse_index,
    parse_status,
)
from tap_kissmetrics.raw_exports.plan import MARGIN, plan, ranges
from tap_kissmetrics.raw_exports.store import MissingFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from tap_kissmetrics.raw_exports.index import Indexed
    from tap_kissmetrics.raw_exports.plan import Days, Plan
    from tap_kissmetrics.raw_exports.store import Store, Stored

logger = logging.getLogger(__name__)


class Snapshot(NamedTuple):
    """What the index and the store have, at the time of a run."""

    indexed: dict[int, Indexed]
    files: dict[int, Stored]


class Export:
    """The export of a product. ``setting`` is the place of its address in the settings."""

    def __init__(self, product: str, setting: str, open_store: Callable[[], Store]) -> None:
        self.product = product
        self._setting = setting
        self._open_store = open_store

    @cached_property
    def store(self) -> Store:
        """The store of the files."""
        return self._open_store()

    @cached_property
    def snapshot(self) -> Snapshot:
        """The index and the files, read once per run.

        The index is read first: it cannot name a file that the list of files does not have yet.

        Raises:
            ConfigValidationError: if the store has no index.
            SyncFailed: if the index cannot be used.
        """
        try:
            body = self.store.read_whole(INDEX, MAX_INDEX_BYTES)
        except MissingFileError:
            problem = f"must lead to a raw data export, but {INDEX} is missing: {self.store.url}"
            raise setting_error(self._setting, problem) from None
        index = parse_index(body, f"{self.store.url}: {INDEX}")
        return Snapshot(index, self.store.files())

    def describe(self) -> str:
        """Return what the export has, for the log."""
        index = self.snapshot.indexed
        revisions = f", revisions {min(index)} to {max(index)}" if index else ""
        return f"{self.product} has {len(index):,} files of raw data{revisions}"

    def log_status(self, now: datetime) -> None:
        """Log how far the export is, by ``status.csv``."""
        source = f"{self.store.url}: {STATUS}"
        try:
            status = parse_status(self.store.read_whole(STATUS, MAX_STATUS_BYTES), source)
        except MissingFileError:
            logger.warning("%s is missing; how far the export is remains unknown", source)
            return
        except SyncFailed as error:
            logger.warning("%s; how far the export is remains unknown", error)
            return
        unknown = "unknown"
        until, behind = (
            (unknown, unknown)
            if status.until is None
            else (
                status.until.isoformat(),
                f"{max(0.0, (now - status.until).total_seconds()) / 3600:,.1f} hours",
            )
        )
        logger.info(
            "%s: exported %s of %s revisions, until %s (%s ago)",
            self.product,
            unknown if status.exported is None else status.exported,
            unknown if status.total is None else status.total,
            until,
            behind,
        )

    def plan(self, bookmarks: Collection[int], days: Days, shard: tuple[int, int]) -> Plan:
        """Return what to read after the first of the bookmarks; log what is not read, and why."""
        found = plan(
            *self.snapshot,
            after=min(bookmarks),
            furthest=max(bookmarks),
            days=days,
            shard=shard,
            source=self.store.url,
        )
        name = self.product
        if found.gaps:
            logger.info("%s: index.csv has no revisions %s", name, ranges(found.gaps))
        if found.deleted:
            text = "%s: revisions %s were deleted from the store; skipping them"
            logger.info(text, name, ranges(found.deleted))
        if found.not_indexed:
            text = "%s: the store has revisions %s, but index.csv has not; skipping them"
            logger.warning(text, name, ranges(found.not_indexed))
        if found.not_yet_indexed:
            level = logging.INFO if self.snapshot.indexed else logging.WARNING  # an index of none
            text = "%s: index.csv does not have revisions %s yet; the next run reads them"
            logger.log(level, text, name, ranges(found.not_yet_indexed))
        if days.first or days.last:
            text = "%s: start_date and end_date choose %d files by index.csv, with %d day of margin"
            logger.info(text, name, len(found.files), MARGIN.days)
        return found

    def open(self, entry: Indexed) -> Content:
        """Return a file with its first part.

        Raises:
            JobFailed: if it is missing, or was written again since it was listed.
        """
        return Content.open(self.store, entry.file, self.snapshot.files.get(entry.revision))


def utc_now() -> datetime:
    """Return the current time."""
    return datetime.now(timezone.utc)
