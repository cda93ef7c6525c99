"""The tenant's columns, learned from the header of a small CSV export of each kind."""

from __future__ import annotations

import contextlib
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tap_kit.errors import JobFailed, PartitionUnavailable, SyncFailed
from tap_kit.flow.pipeline import Pipeline
from tap_kit.net.throttle import stop_on_error
from tap_kit.rows.streaming import CsvRows, resumed
from tap_kit.run.progress import Progress

from tap_khoros_analytics.client import AccessRefused, MethodRefused, RequestRefused
from tap_khoros_analytics.exports.columns import Column, attested, columns_from
from tap_khoros_analytics.exports.jobs import ExportJob
from tap_khoros_analytics.exports.parameters import INTERVAL_EXPORT, epoch_ms, midnight

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from tap_khoros_analytics.exports.catalogue import Export
    from tap_khoros_analytics.tap import TapKhorosAnalytics

logger = logging.getLogger(__name__)

# The vendor does not have an export for this user, or cannot make it: another try cures nothing.
_REFUSED = (AccessRefused, MethodRefused, RequestRefused, PartitionUnavailable, JobFailed)
MINUTE = timedelta(minutes=1)  # as little as can be asked for: the header comes without rows too


def learned(
    tap: TapKhorosAnalytics, exports: list[Export]
) -> Iterator[tuple[Export, list[Column]]]:
    """The columns of each export, side by side within the limits of the settings.

    At the vendor's 20 requests a minute that takes minutes.
    """
    at_once = tap.config["max_concurrency"]
    pipeline = Pipeline(iter(exports), lambda export: _columns(tap, export), workers=at_once)
    told = Progress(tap.logger, "export", "Learning the columns")
    with contextlib.closing(pipeline), told as progress, stop_on_error(tap.stop):
        progress.planned({"columns": len(exports)}, at_once=at_once)
        while (export := pipeline.head) is not None:
            found = pipeline.take(lambda export: progress.waiting(f"the columns of {export.id}"))
            progress.task_done()
            yield export, found


def _columns(tap: TapKhorosAnalytics, export: Export) -> list[Column]:
    """The columns in the header of an export; the attested ones where there is none to be had.

    Raises:
        SyncFailed: when a fault keeps them from us that may pass. A catalog without the tenant's
            columns would stay in use for long, and nobody would know.
    """
    try:
        header = _header(tap, export)
    except (*_REFUSED, SyncFailed) as error:
        is_final = isinstance(error, _REFUSED)
        msg = f"{export.id}: its columns could not be learned: {error}"
        # Nobody misses what is not read unless somebody selects it.
        if export.selected and not is_final:
            raise SyncFailed(msg) from None
        level = logging.INFO if is_final and not export.selected else logging.WARNING
        logger.log(level, "%s", msg)
        return list(attested(export.id))
    found = columns_from(export.id, header)
    fields = {column.field for column in found}
    is_json = tap.config["report_format"] == "json"
    return [
        *found,
        *(c for c in attested(export.id) if is_json and c.json_only and c.field not in fields),
    ]


def _header(tap: TapKhorosAnalytics, export: Export) -> list[str]:
    """The names in the header, out of a download that may break off as any other.

    Raises:
        JobFailed: when the vendor's job fails, or when its body is empty each time.
    """
    what = f"columns of {export.id}"
    job = ExportJob(tap.client, export, _parameters(tap.config, tap, export), tap.lessons)
    ids = tap.job_runner.run(job, what, None, lambda _ids: None)
    download = _Download(what, lambda: job.client.download(ids, job.token))
    header: list[str]
    try:
        (header,) = next(resumed(download.header, tap.throttle.sleep))
    except SyncFailed as error:
        if download.is_empty:
            raise JobFailed(str(error)) from None
        raise
    return header


class _Download:
    """The first line of an export; ``is_empty`` says so of the last body that came whole."""

    def __init__(self, what: str, begin: Callable[[], Generator[bytes, None, None]]) -> None:
        self._what = what
        self._begin = begin
        self.is_empty = False

    def header(self) -> Iterator[list[list[str]]]:
        """The names of the columns, as the only row of the only batch.

        Raises:
            Retriable: when it breaks off, or is no table.
        """
        parser, self.is_empty, size = CsvRows(self._what), False, 0
        with contextlib.closing(self._begin()) as pieces:
            for piece in pieces:
                size += len(piece)
                parser.push(piece)
                if parser.header is not None:
                    break
        self.is_empty = not size
        if parser.header is None:
            parser.finalize()  # an error where there is no header
        yield [parser.header or []]


def _parameters(
    config: Mapping[str, Any], tap: TapKhorosAnalytics, export: Export
) -> dict[str, str]:
    begin = midnight(tap.today()) - timedelta(days=1)
    params = {
        "startTime": epoch_ms(begin),
        "endTime": epoch_ms(begin + MINUTE),
        "reportFormat": "csv",
        # Headers follow the locale; the keys of JSON exports are metric ids, like English ones.
        "locale": config["locale"] if config["report_format"] == "csv" else "en",
    }
    if export.id == INTERVAL_EXPORT:
        params["timeInterval"] = str(config["time_interval"])
    return params
