"""Keep the tenant's columns for later runs: discovery costs as many requests as a daily run.

A run that reads the vendor's default columns of an export sees the names of all of them. So it
confirms the stored columns without a request, or finds that they have changed.
"""

from __future__ import annotations

import logging
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct
from tap_kit import KeptFile, row_id

from tap_khoros_analytics.client import api_url
from tap_khoros_analytics.exports.columns import columns_from
from tap_khoros_analytics.exports.parameters import header_locale
from tap_khoros_analytics.exports.spellings import matched
from tap_khoros_analytics.exports.types import TYPES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from tap_kit import Config

    from tap_khoros_analytics.discovery import Discovered
    from tap_khoros_analytics.exports.definitions import Export
    from tap_khoros_analytics.exports.streams import ExportStream

logger = logging.getLogger(__name__)

CONFIRMED_FOR = timedelta(days=7)  # a weekly run reuses columns, too
USED_FOR = timedelta(days=7)  # columns of exports that no run reads any more are not renewed
MAX_CHANGES, MAX_LENGTH = 1_000, 255  # of the names that a run finds; more are not a tenant's
FORM = 1  # of the file
NEVER = datetime.min.replace(tzinfo=timezone.utc)
Moment = Annotated[datetime, Meta(tz=True)]
TypeName = Annotated[str, Meta(pattern=rf"\A(?:{'|'.join(TYPES)})\Z")]


class ExportColumns(Struct, kw_only=True, omit_defaults=True):
    """What is known of the columns of one export, and since when.

    ``names`` is the header; None if the vendor refused the export. ``types`` are those of fields,
    and never change: a column in a warehouse has one type. They are None if none were learned.
    ``unknown`` are names in rows that no column has, ``absent`` the fields of columns that a CSV
    export did not have: discovery resolves them, or they are not reported again.
    """

    names: list[str] | None
    types: dict[str, TypeName] | None = None
    discovered_at: Moment
    confirmed_at: Moment | None = None
    used_at: Moment | None = None
    changed_at: Moment | None = None
    unknown: list[str] = []
    absent: list[str] = []

    def is_current(self, now: datetime, max_age: timedelta, *, is_used: bool) -> bool:
        """Return whether discovery can use these columns instead of requesting them."""
        if not max_age or (self.changed_at and self.changed_at > self.discovered_at):
            return False
        if _is_within(max_age, self.discovered_at, now):
            return True
        return self.names is not None and (
            not is_used or _is_within(CONFIRMED_FOR, self.confirmed_at, now)
        )

    def note_changes(self, unknown: Iterable[str], absent: Iterable[str], now: datetime) -> None:
        """Note the names of a run: new changes make the next discovery request the columns."""
        new_names = _new(unknown, self.unknown)
        new_fields = _new(absent, self.absent)
        if new_names or new_fields:
            self.changed_at = now
            self.unknown += new_names
            self.absent += new_fields
        else:
            self.confirmed_at = now


class StoredColumns(Struct, kw_only=True):
    """The content of the file; ``run_at`` is the time of the last run that read an export."""

    form: int
    account: str
    exports: dict[str, ExportColumns]
    run_at: Moment | None = None


class ColumnStore:
    """The columns of the tenant that earlier runs have discovered."""

    def __init__(self, folder: Path, account: str, max_age: timedelta) -> None:
        self._account = account
        self._max_age = max_age
        path = folder / f"columns-{account}.json"
        self._file = KeptFile(path, StoredColumns, logger)
        self._stored = self._read()

    def _read(self) -> StoredColumns:
        stored = self._file.read()
        if stored and (stored.form, stored.account) != (FORM, self._account):
            logger.warning(
                "Ignoring the file %s: it is for another account or version", self._file.path
            )
            stored = None
        return stored or StoredColumns(form=FORM, account=self._account, exports={})

    def types(self, export_id: str) -> dict[str, str]:
        """Return the types of fields that discovery has learned."""
        entry = self._stored.exports.get(export_id)
        return dict((entry and entry.types) or {})

    def current(
        self, exports: Iterable[Export], *, with_types: bool
    ) -> dict[str, list[str] | None]:
        """Return the header of each export that need not be requested; log how old they are."""
        now = _now()
        found = {
            export.id: entry
            for export in exports
            if (entry := self._stored.exports.get(export.id))
            and entry.is_current(now, self._max_age, is_used=self._is_used(entry, now))
            and not (with_types and entry.names and entry.types is None)
        }
        if found:
            oldest = min(entry.discovered_at for entry in found.values())
            seen = [max(e.confirmed_at or e.discovered_at, e.discovered_at) for e in found.values()]
            logger.info(
                "Reusing the columns of %d export(s), discovered up to %s ago and last seen up to "
                "%s ago, from %s",
                len(found),
                _duration(now - oldest),
                _duration(now - min(seen)),
                self._file.path,
            )
        return {export_id: entry.names for export_id, entry in found.items()}

    def _is_used(self, entry: ExportColumns, now: datetime) -> bool:
        """Return whether runs read the export; before the first run, every export may be read."""
        return self._stored.run_at is None or _is_within(USED_FOR, entry.used_at, now)

    def note_discovered(self, found: Iterable[Discovered]) -> None:
        """Store headers that the vendor has just sent, or that it refused an export.

        Of an export that is requested again, only types are stored.
        """
        now, stored = _now(), self._read()  # another run may have written it meanwhile
        for one in found:
            old = stored.exports.get(one.export.id)
            if not one.is_final and (old or not one.types):
                continue
            entry = ExportColumns(names=one.header, discovered_at=now if one.is_final else NEVER)
            entry.types = _types(one, old)
            if old:
                entry.used_at = old.used_at
                changes = unresolved(one.export.id, entry, old.unknown, old.absent)
                entry.unknown, entry.absent = map(list, changes)
            stored.exports[one.export.id] = entry
        self._write(stored)

    def note_run(self, streams: Collection[ExportStream]) -> None:
        """Store which exports a run has read, and whether it met other columns than the stored."""
        if not streams:
            return
        now, stored = _now(), self._read()
        stored.run_at = now
        for stream in streams:
            entry = stored.exports.get(stream.name)
            if entry is None:
                continue
            entry.used_at = now
            if stream.has_default_columns:
                names = stream.field_names
                changes = unresolved(stream.name, entry, names.unknown, names.absent)
                entry.note_changes(*changes, now)
        self._write(stored)

    def _write(self, stored: StoredColumns) -> None:
        self._stored = stored
        self._file.write(stored)


def column_store(config: Config) -> ColumnStore | None:
    """Return the store of this account's columns; None without a folder for it."""
    folder, max_age = _folder(config), timedelta(hours=config["discovery_max_age"])
    if folder is None:
        return None
    account = row_id(
        [api_url(config), config["username"], config["company_key"], header_locale(config)]
    )
    return ColumnStore(folder, account, max_age)


def _folder(config: Config) -> Path | None:
    """Return the folder of the file: the one in the settings, or that of Meltano's own files."""
    if folder := config.get("discovery_folder"):
        return Path(folder)
    meltano = os.environ.get("MELTANO_SYS_DIR_ROOT")
    return Path(meltano, "run", "tap-khoros-analytics") if meltano else None


def _types(found: Discovered, old: ExportColumns | None) -> dict[str, str] | None:
    """Return the types to store: those that are stored, and those of new fields."""
    known = old.types if old else None
    return known if found.types is None else {**found.types, **(known or {})}


def unresolved(
    export_id: str, stored: ExportColumns, unknown: Iterable[str], absent: Iterable[str]
) -> tuple[list[str], list[str]]:
    """Return the changes that the stored names do not have.

    A run with an older catalog can report changes that discovery has found since.
    """
    columns = columns_from(export_id, stored.names or ())
    fields = {column.field for column in columns}
    return (
        [name for name in unknown if matched([name], columns)[0] is None],
        [field for field in absent if field in fields],
    )


def _new(found: Iterable[str], known: Collection[str]) -> list[str]:
    new = sorted({name for name in found if len(name) <= MAX_LENGTH} - {*known})
    return new[: max(0, MAX_CHANGES - len(known))]


def _is_within(period: timedelta, moment: datetime | None, now: datetime) -> bool:
    """Return whether a moment is in the period before now; one in the future is an error."""
    return moment is not None and timedelta() <= now - moment < period


def _duration(period: timedelta) -> str:
    minutes = int(period.total_seconds() // 60)
    for unit, size in (("day", 1440), ("hour", 60)):
        if minutes >= 2 * size:
            return f"{minutes // size} {unit}s"
    return f"{minutes} min"


def _now() -> datetime:
    return datetime.now(timezone.utc)
