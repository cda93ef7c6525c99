"""The expected rows of version 3, computed without the tap's code."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tests.kissmetrics.rows import hashed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.kissmetrics import Kissmetrics

    from tests.singer import Row

NAMES = {"visible": "is_visible", "km_key": "tracking_key"}


def expected_list(api: Kissmetrics, name: Any, *, secret: bool = False) -> list[Row]:
    """Return the expected rows of a list, product by product."""
    left_out = set() if secret else {"tracking_key"}
    products = [product["id"] for product in api.v3_data.records("products")]
    records = (
        api.v3_data.records("products")
        if name == "products"
        else [record for one in products for record in api.v3_data.records(name, one)]
    )
    renamed = ({NAMES.get(k, k): v for k, v in record.items()} for record in records)
    return [{k: v for k, v in record.items() if k not in left_out} for record in renamed]


def instants(api: Kissmetrics, product_id: int, day: date) -> dict[str, str]:
    """Return the first and last second of a day of a product, in UTC."""
    (zone,) = [p["timezone"] for p in api.v3_data.records("products") if p["id"] == product_id]
    begin, end = (
        datetime.combine(one, time(), tzinfo=ZoneInfo(zone)).astimezone(timezone.utc)
        for one in (day, day + timedelta(days=1))
    )
    last = end - timedelta(seconds=1)
    return {"start_date": begin.isoformat(), "end_date": last.isoformat()}


def expected_rows(
    api: Kissmetrics, days: Iterable[date], report_ids: Iterable[int] | None = None
) -> list[Row]:
    """Return the rows of these days, of all reports or of these, without the queries' ids."""
    days = list(days)
    order = [product["id"] for product in api.v3_data.records("products")]
    reports = {r["id"]: r for p in order for r in api.v3_data.records("reports", p)}
    return [
        row
        for report_id in (reports if report_ids is None else report_ids)
        for day in days
        for row in window_rows(api, reports[report_id], day)
    ]


def window_rows(api: Kissmetrics, report: Row, day: date) -> list[Row]:
    """Return the rows of a report on one day."""
    rows = api.v3_data.report_rows(report["id"], {"type": "on", "date": day.isoformat()})
    found = rows if isinstance(rows, list) else rows.page(0, len(rows), shifted=True)
    when = instants(api, report["product_id"], day)
    seen: Counter[Any] = Counter()
    expected = []
    for number, row in enumerate(found, 1):
        # The sandbox sends people as {identity, columns}, as was observed of this engine.
        identity = row[1] if isinstance(row, list) else None
        cells = row[2:] if isinstance(row, list) else ()
        values = {f"column_{n}": cell for n, cell in enumerate(cells, 1)} or row
        seen[identity] += 1
        expected.append(
            {
                "row_id": hashed([report["id"], when["start_date"], identity, seen[identity]]),
                "report_id": report["id"],
                "report_name": report["name"],
                "product_id": report["product_id"],
                **when,
                "row_number": number,
                "kmid": None,
                "identity": identity,
                "values": values,
            }
        )
    return expected
