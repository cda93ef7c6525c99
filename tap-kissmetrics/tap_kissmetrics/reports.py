"""Which reports are run: the configured ones, or all that the API can run."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tap_kit.errors import PartitionUnavailable

from tap_kissmetrics.once import Once

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_kissmetrics.tap import TapKissmetrics

RUNNABLE = "people_search_v2"  # "the only reports that may be run via the API" [vendor page]
UTC = ZoneInfo("UTC")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Report:
    """A report and what its runs need; ``columns`` are the configured labels."""

    id: str
    name: str | None
    product_id: str
    zone: ZoneInfo
    columns: tuple[str, ...] = ()


class Reports:
    """The reports of one sync."""

    def __init__(self, tap: TapKissmetrics) -> None:
        self._tap = tap
        self._configured = {entry["id"]: entry for entry in tap.config.get("reports") or []}
        self._zones: Once[ZoneInfo] = Once()

    def to_run(self) -> Iterator[Report]:
        """The reports whose results are read, in a stable order."""
        return iter(self._all.values())

    def by_id(self, report_id: str) -> Report:
        """One of them."""
        return self._all[report_id]

    @cached_property
    def _all(self) -> dict[str, Report]:
        found = self._those_configured() if self._configured else self._those_that_run()
        return {record["id"]: self._report(record) for record in found}

    def _those_configured(self) -> Iterator[dict[str, Any]]:
        return filter(None, map(self._configured_one, self._configured))

    def _configured_one(self, report_id: str) -> dict[str, Any] | None:
        try:
            return self._tap.client.report(report_id)
        except PartitionUnavailable as error:
            logger.warning("report %s of the settings is left out: %s", report_id, error)
            return None

    def _those_that_run(self) -> Iterator[dict[str, Any]]:
        wanted = self._tap.config.get("product_ids")
        others = []
        for record in self._tap.client.everything("/core/reports"):
            if wanted and record.get("product_id") not in wanted:
                continue
            if record.get("report_type") == RUNNABLE:
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
        report_id, product_id = record["id"], str(record.get("product_id"))
        return Report(
            id=report_id,
            name=record.get("name"),
            product_id=product_id,
            zone=self._zones.get(product_id, lambda: self._zone(product_id)),
            columns=tuple(self._configured.get(report_id, {}).get("columns") or ()),
        )

    def _zone(self, product_id: str) -> ZoneInfo:
        """The zone of a product; UTC, with a warning, where its name is unknown."""
        name = self._zone_names.get(product_id)
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
    def _zone_names(self) -> dict[str, str | None]:
        products = self._tap.client.everything("/core/products")
        return {product["id"]: product.get("timezone") for product in products}
