"""Discover the tenant's columns: the CSV header of a small export of each kind."""

from __future__ import annotations

import contextlib
import logging
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from tap_kit import (
    CsvRows,
    JobFailed,
    PartitionUnavailable,
    Pipeline,
    Progress,
    SyncFailed,
    read_with_resume,
    stop_on_error,
)

from tap_khoros_analytics.client import RequestRejected
from tap_khoros_analytics.exports.bodies import check_number
from tap_khoros_analytics.exports.columns import columns_from, known_columns
from tap_khoros_analytics.exports.definitions import MAX_INTERVALS
from tap_khoros_analytics.exports.parameters import (
    INTERVAL_EXPORT,
    epoch_ms,
    header_locale,
    midnight,
)
from tap_khoros_analytics.exports.types import TEXT, learned_type, zone_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from tap_kit import Config, Run

    from tap_khoros_analytics.exports.definitions import Export
    from tap_khoros_analytics.exports.spellings import Column
    from tap_khoros_analytics.exports.tenant import Tenant

logger = logging.getLogger(__name__)

# This user has no access to an export, or the vendor cannot make it: a retry does not help.
_FINAL = (RequestRejected, PartitionUnavailable, JobFailed)
SAMPLE_ROWS, SAMPLE_BYTES = 2_000, 8 << 20  # from which types are learned
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)  # the smallest window: an export without rows has a header, too


class Discovered(NamedTuple):
    """What discovery found of an export: its header; None if the export cannot be read.

    ``types`` has the types that are learned, by field; texts where there is nothing to learn from.
    ``is_final``: it can be stored. What failed for an export that is read by default can not, so
    that the next discovery requests it again.
    """

    export: Export
    header: list[str] | None
    is_final: bool
    types: dict[str, str] | None = None


def discovered_headers(tenant: Tenant, exports: Sequence[Export]) -> Iterator[Discovered]:
    """Yield the header of each export, read in parallel within the limits of the settings.

    With the vendor's limit of 20 requests a minute, this takes minutes.
    """
    workers = tenant.run.config["max_concurrency"]
    pipeline = Pipeline(iter(exports), lambda export: _discovered(tenant, export), workers=workers)
    progress = Progress(logger, unit="export", goal="Discovering columns")
    with contextlib.closing(pipeline), progress, stop_on_error(tenant.run.stop):
        progress.set_plan({"columns": len(exports)}, concurrency=workers)
        while pipeline.head is not None:
            found = pipeline.take(lambda one: progress.show_waiting(f"the columns of {one.id}"))
            progress.task_done()
            yield found


def _discovered(tenant: Tenant, export: Export) -> Discovered:
    """Return the header of an export; none where it cannot be read.

    Raises:
        SyncFailed: when a temporary error keeps a selected export from being read. A catalog
            without the tenant's columns would be used unnoticed.
    """
    is_typed = learns_types(tenant.run.config)
    try:
        header, rows = _sample(tenant, export)
        types = _types(tenant.run.config, export, header, rows)
        return Discovered(export, header, is_final=True, types=types)
    except (*_FINAL, SyncFailed) as error:
        is_final = isinstance(error, _FINAL)
        msg = f"{export.id}: discovery of its columns failed: {error}"
        if export.selected and not is_final:
            raise SyncFailed(msg) from None
        level = logging.INFO if is_final and not export.selected else logging.WARNING
        logger.log(level, "%s", msg)
        # These columns are in the catalog, and so in the warehouse.
        types = {column.field: TEXT for column in known_columns(export.id)}
        is_stored = is_final and not export.selected
        return Discovered(export, None, is_final=is_stored, types=types if is_typed else None)


def columns_in(header: Sequence[str] | None, export: Export, *, is_json: bool) -> list[Column]:
    """Return the columns of an export with a header; the known ones if there is no header.

    The known columns that only JSON exports have are in no header, and belong to those.
    """
    known = known_columns(export.id)
    if header is None:
        return list(known)
    found = columns_from(export.id, header)
    fields = {column.field for column in found}
    return [*found, *(c for c in known if is_json and c.json_only and c.field not in fields)]


def learns_types(config: Config) -> bool:
    """Return whether discovery learns types: from values that are written as in a run."""
    is_typed: bool = config["column_types"] == "typed"
    return is_typed and header_locale(config) == config["locale"]


def _types(
    config: Config, export: Export, header: Sequence[str], rows: Sequence[Sequence[str]]
) -> dict[str, str] | None:
    """Return the types of fields, from the values of a sample; None if they are not wanted."""
    if not learns_types(config):
        return None
    fields = [column.field for column in columns_from(export.id, header)]
    zone = zone_of(export, config)
    return {
        field: learned_type(field, (row[place] for row in rows if place < len(row)), zone)
        for place, field in enumerate(fields)
    }


def _sample(tenant: Tenant, export: Export) -> tuple[list[str], list[list[str]]]:
    """Return the names in the header of an export, and rows, whose download is resumed.

    Raises:
        JobFailed: when the vendor's job fails, its body is empty in all attempts, or the header has
            too many names.
    """
    what = f"columns of {export.id}"
    finished = tenant.finished(export, _parameters(tenant.run, export), what)
    download = _HeaderDownload(what, finished.download)
    header: list[str]
    size = SAMPLE_ROWS if learns_types(tenant.run.config) else 0
    try:
        read = partial(download.rows, size)
        (header, *rows) = next(read_with_resume(read, tenant.run.throttle.sleep))
    except SyncFailed as error:
        if download.is_empty:
            raise JobFailed(str(error)) from None
        raise
    check_number(header)
    return header, rows


class _HeaderDownload:
    """Downloads the first rows of an export; ``is_empty`` if the last complete body was empty."""

    def __init__(self, what: str, download: Callable[[], Generator[bytes, None, None]]) -> None:
        self._what = what
        self._download = download
        self.is_empty = False

    def rows(self, count: int) -> Iterator[list[list[str]]]:
        """Return the names of the columns and up to ``count`` rows in the only batch.

        Raises:
            Retriable: when the download breaks off, or is not a table.
        """
        parser, self.is_empty, size = CsvRows(self._what), False, 0
        rows: list[list[str]] = []
        with contextlib.closing(self._download()) as pieces:
            for piece in pieces:
                size += len(piece)
                rows += parser.push(piece)
                if parser.header is not None and (len(rows) >= count or size > SAMPLE_BYTES):
                    break
            else:
                self.is_empty = not size
                rows += parser.finalize()  # raises where there is no header
        yield [parser.header or [], *rows[:count]]


def _sample_length(config: Config, export: Export) -> timedelta:
    """Return the length of the window that discovery requests: a day of values, or no values."""
    if not learns_types(config):
        return MINUTE
    if export.id == INTERVAL_EXPORT:
        return min(DAY, timedelta(milliseconds=config["time_interval"] * MAX_INTERVALS))
    return DAY


def _parameters(run: Run, export: Export) -> dict[str, str]:
    config, begin = run.config, midnight(run.today()) - timedelta(days=1)
    params = {
        "startTime": epoch_ms(begin),
        "endTime": epoch_ms(begin + _sample_length(config, export)),
        "reportFormat": "csv",
        "locale": header_locale(config),
    }
    if export.id == INTERVAL_EXPORT:
        params["timeInterval"] = str(config["time_interval"])
    return params
