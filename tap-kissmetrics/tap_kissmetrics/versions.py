"""What the two versions of the API differ in, as the rest of the tap sees them."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from singer_sdk import Stream
    from tap_kit.flow.ahead import Work

    from tap_kissmetrics.client import Client, Id
    from tap_kissmetrics.tap import TapKissmetrics


class Version(abc.ABC):
    """One version of the API: its client and its streams.

    ``requests_per_minute`` holds where the settings say nothing; ``polling_share`` is how much of
    it may go into asking how far queries are.
    """

    requests_per_minute: ClassVar[int | None] = None
    polling_share: ClassVar[float | None] = None

    def __init__(self, tap: TapKissmetrics) -> None:
        self.tap = tap

    @property
    @abc.abstractmethod
    def client(self) -> Client:
        """The API with this run's settings, which have to be checked by then."""

    @abc.abstractmethod
    def streams(self) -> Iterator[Stream]:
        """All streams but those that reports have of their own."""

    @abc.abstractmethod
    def named_report(self, report_id: Id, name: str, columns: Sequence[str]) -> Stream:
        """The stream of a report whose columns are configured."""

    @abc.abstractmethod
    def on_plan(self, work: Sequence[Work]) -> None:
        """Told what is about to be read."""
