"""Which reports are run: the configured ones, or all that the API can run."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tap_kit.errors import PartitionUnavailable

from tap_kit.flow.once import Once

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_kissmetrics.client import Id
    from tap_kissmetrics.tap import TapKissmetrics

UTC = ZoneInfo("UTC")
PEOPLE = "people_search"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Report:
    """A report and what its runs need; ``columns`` are the configured labels."""

    id: Id
    name: str | None
    product_id: Id | None
    zone: ZoneInfo
    columns: tuple[str, ...] = ()
    of_people: bool = True  # whether its rows are people, as a people search's are
    saved_dates: bool = False  # whether it is run with the dates that are saved in it


class Reports:
    """The reports of one sync."""

    def __init__(self, tap: TapKissmetrics) -> None:
        self._tap = tap
        entries = tap.config.get("reports") or []
        self._configured = {tap.client.id_of(entry["id"]): entry for entry in entries}
        self._zones: Once[ZoneInfo] = Once()

    def to_run(self) -> Iterator[Report]:
        """The reports whose results are read, in a stable order."""
        return iter(self._all.values())

    def by_id(self, report_id: Id) -> Report:
        """One of them."""
        return self._all[report_id]

    @cached_property
    def _all(self) -> dict[Id, Report]:
        found = self._those_configured() if self._configured else self._those_that_run()
        return {record["id"]: self._report(record) for record in found}

    def _those_configured(self) -> Iterator[dict[str, Any]]:
        return filter(None, map(self._configured_one, self._configured))

    def _configured_one(self, report_id: Id) -> dict[str, Any] | None:
        try:
            return self._tap.client.report(report_id)
        except PartitionUnavailable as error:
            logger.warning("report %s of the settings is left out: %s", report_id, error)
            return None

    def _those_that_run(self) -> Iterator[dict[str, Any]]:
        others = []
        for record in self._tap.client.reports():
            if self._tap.client.runs(record):
                yield record
            else:
                others.append(f"{record.get('name')} ({record.get('report_type')})")
        if others:
            logger.warning(
                "%d reports are of types that the API does not run, and left out: %s",
                len(others),
                ", ".join(others),
            )

    def _report(self, record: dict[str, Any]) -> Report:
        report_id, product_id = record["id"], record.get("product_id")
        entry = self._configured.get(report_id, {})
        return Report(
            id=report_id,
            name=record.get("name"),
            product_id=product_id,
            zone=self._zones.get(product_id, lambda: self._zone(product_id)),
            columns=tuple(entry.get("columns") or ()),
            of_people=str(record.get("report_type", PEOPLE)).startswith(PEOPLE),
            saved_dates=entry.get("saved_dates", False),
        )

    def _zone(self, product_id: Id | None) -> ZoneInfo:
        """The zone of a product; UTC, with a warning, where its name is unknown."""
        name = self._zone_names.get(product_id or "")
        try:
            return ZoneInfo(name or "")
        except (OSError, ValueError, ZoneInfoNotFoundError):  # OSError: a folder of the database
            logger.warning(
                "product %s: its timezone %r is unknown here; its days are counted in UTC",
                product_id,
                name,
            )
            return UTC

    @cached_property
    def _zone_names(self) -> dict[Id, str | None]:
        return {product["id"]: product.get("timezone") for product in self._tap.client.products()}
