"""The rows as they should arrive, reckoned apart from the tap."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, time, timedelta, timezone
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from tests.khoros_analytics.site import AGGREGATES, FIRST, LAST

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from sandbox.khoros import Khoros

    from tests.singer import Row

REPORT_TYPES = ("CREATED", "OPEN_AT_END", "CLOSED")


def hashed(values: list[object]) -> str:
    """128-bit BLAKE2b, hex, over the compact JSON array: with the standard library only."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=16).hexdigest()


def midnight(day: date) -> datetime:
    """The first moment of a UTC day."""
    return datetime.combine(day, time(), tzinfo=timezone.utc)


def days(first: date = FIRST, last: date = LAST) -> list[date]:
    """The days from first to last, both included."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def window_rows(
    api: Khoros, export: str, begin: datetime, end: datetime, **parameters: Any
) -> list[Row]:
    """The rows of one job, in order."""
    csv = parameters.get("reportFormat") == "csv"
    seen: Counter[str] = Counter()
    rows = []
    for cells in api.data.rows(export, begin, end, **parameters):
        row = {name.lower(): (value or None) if csv else value for name, value in cells.items()}
        ours = {"window_start": begin.isoformat(), "window_end": end.isoformat()}
        if export == "conversation":
            ours["conversation_report_type"] = parameters["conversationReportType"]
        else:
            ours["row_id"] = row_id(export, row, begin, seen)
        rows.append({**row, **ours})
    return rows


def row_id(export: str, row: Row, begin: datetime, seen: Counter[str]) -> str:
    """The key of a row; ``seen`` are those of the job before it."""
    values = [row[field] or None for field in sorted(row) if not field.endswith("_millis")]
    if export in AGGREGATES:
        values.insert(0, begin.isoformat())
    first = hashed(values)
    seen[first] += 1
    return first if seen[first] == 1 else hashed([*values, seen[first]])


def expected_rows(api: Khoros, export: str, dates: Iterable[date], **parameters: Any) -> list[Row]:
    """The rows of these days, in order."""
    if export == "team_performance_interval":
        parameters = {"timeInterval": "3600000", **parameters}
    kinds = REPORT_TYPES if export == "conversation" else ("",)
    rows = []
    for kind in kinds:
        of_kind = {"conversationReportType": kind} if kind else {}
        for day in dates:
            begin, end = midnight(day), midnight(day + timedelta(days=1))
            rows += window_rows(api, export, begin, end, **of_kind, **parameters)
    return rows
