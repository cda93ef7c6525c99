"""The streams of the raw data export together: one of them reads each file for all."""

from __future__ import annotations

from functools import cached_property, partial
from operator import attrgetter
from typing import TYPE_CHECKING, Generic, TypeVar

from singer_sdk import Stream
from tap_kit import needs_single_records, unique_names

from tap_kissmetrics.raw_exports.bucket import Export, utc_now
from tap_kissmetrics.raw_exports.credentials import Aws
from tap_kissmetrics.raw_exports.folder import Folder
from tap_kissmetrics.raw_exports.plan import Days
from tap_kissmetrics.raw_exports.s3 import Bucket
from tap_kissmetrics.raw_exports.settings import location_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_kit import Run

    from tap_kissmetrics.raw_exports.store import Store

StreamT = TypeVar("StreamT", bound=Stream)

_NAME = attrgetter("name")  # the order in which the SDK syncs streams


class RawExports(Generic[StreamT]):
    """What the streams share: the exports of all products, and which stream reads for which.

    A file has lines of all kinds. The last selected stream reads each file once and writes the
    rows of all selected streams, whose SCHEMA messages are written then. If the SDK has to see
    single records (stream maps and the like), each stream reads the files for itself.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.streams: list[StreamT] = []

    @cached_property
    def exports(self) -> dict[str, Export]:
        """The exports by the name of their product."""
        aws = Aws(self.run.config)
        return {
            entry["product"]: Export(
                entry["product"],
                f"raw_exports[{place}].url",
                partial(self._open_store, entry["url"], f"raw_exports[{place}].url", aws),
            )
            for place, entry in enumerate(self.run.config.get("raw_exports") or ())
        }

    def _open_store(self, url: str, setting: str, aws: Aws) -> Store:
        location = location_of(url)
        if location is None or not location.bucket:
            return Folder(url)
        return Bucket(location, setting, self.run, aws)

    @property
    def days(self) -> Days:
        """The days of ``start_date`` and ``end_date``; all, if they are not set."""
        config, days = self.run.config, self.run.day_range()
        return Days(
            days.start if "start_date" in config else None,
            days.end if "end_date" in config else None,
        )

    def columns(self, taken: Sequence[str]) -> Mapping[str, str]:
        """Return the fields of ``raw_export_columns``, with the property of each."""
        names = list(dict.fromkeys(self.run.config.get("raw_export_columns") or ()))
        return dict(zip(unique_names(names, taken), names, strict=True))

    def read_by(self, stream: StreamT) -> list[StreamT]:
        """Return the streams for which ``stream`` reads the files; none if another one does."""
        selected = sorted((one for one in self.streams if one.selected), key=_NAME)
        if any(map(needs_single_records, selected)):
            return [stream]
        return selected if selected and selected[-1] is stream else []

    def check_access(self) -> str:
        """Read the index of each product; return what is there, in words.

        Raises:
            ConfigValidationError: if an address or a credential is wrong.
        """
        found = []
        for export in self.exports.values():
            found.append(export.describe())
            export.log_status(utc_now())
        return "; ".join(found)
