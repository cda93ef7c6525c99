"""Which saved reports are run: the configured ones, or all that the API can run."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_kit import Once, PartitionUnavailable, setting_error

from tap_kissmetrics.client import Report
from tap_kissmetrics.query import ClientT, Queries
from tap_kissmetrics.reports.zones import UTC, zone_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from tap_kit import Config

    from tap_kissmetrics.client import Client, Id

PEOPLE = "people_search"

logger = logging.getLogger(__name__)


class Account(Queries[ClientT]):
    """What the streams of a run share: the API, its queries, and the reports that are run."""

    @cached_property
    def reports(self) -> Reports:
        """The reports that are run."""
        return Reports(self.client, self.run.config)


class Reports:
    """The saved reports that a run reads."""

    def __init__(self, client: Client, config: Config) -> None:
        self._client = client
        entries = config.get("reports") or []
        self._configured = {client.id_of(entry["id"]): entry for entry in entries}
        self._zones: Once[ZoneInfo] = Once()

    def to_run(self) -> Iterator[Report]:
        """Return the reports whose results are read, in a stable order."""
        return iter(self._all.values())

    def by_id(self, report_id: Id) -> Report:
        """Return one of them."""
        return self._all[report_id]

    @cached_property
    def _all(self) -> dict[Id, Report]:
        records = self._configured_records() if self._configured else self._runnable_records()
        return {record["id"]: self._report(record) for record in records}

    def _configured_records(self) -> list[dict[str, Any]]:
        """Return the configured reports that exist.

        Raises:
            ConfigValidationError: when none of them exists.
        """
        found = {report_id: self._record_of(report_id) for report_id in self._configured}
        missing = {i: one for i, one in found.items() if isinstance(one, PartitionUnavailable)}
        if len(missing) == len(found):
            setting, got = "reports", "; ".join(f"{i}: {error}" for i, error in missing.items())
            raise setting_error(setting, f"must name a report that can be read, got {got}")
        for report_id, error in missing.items():
            logger.warning("Skipped report %s of the settings: %s", report_id, error)
        return [one for one in found.values() if isinstance(one, dict)]

    def _record_of(self, report_id: Id) -> dict[str, Any] | PartitionUnavailable:
        try:
            return self._client.report(report_id)
        except PartitionUnavailable as error:
            return error

    def _runnable_records(self) -> Iterator[dict[str, Any]]:
        others = []
        for record in self._client.reports():
            if self._client.can_run(record):
                yield record
            else:
                others.append(f"{record.get('name')} ({record.get('report_type')})")
        if others:
            names = ", ".join(others)
            logger.warning(
                "Skipped %d reports whose type the API cannot run: %s", len(others), names
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
            saved_dates=self._client.has_saved_dates and entry.get("saved_dates", False),
        )

    def _zone(self, product_id: Id | None) -> ZoneInfo:
        """Return the zone of a product; UTC, with a warning, if its name is unknown."""
        name = self._zone_names.get(product_id or "")
        zone = zone_of(name or "")
        if zone is None:
            text = "product %s: unknown timezone %r; its days are counted in UTC"
            logger.warning(text, product_id, name)
        return zone or UTC

    @cached_property
    def _zone_names(self) -> dict[Id, str | None]:
        return {product["id"]: product.get("timezone") for product in self._client.products()}
