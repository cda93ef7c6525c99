"""The expected rows, computed without the tap."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, time, timedelta, timezone
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from sandbox.khoros import Start

from tests.khoros_analytics.site import AGGREGATES, FIRST, LAST

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from sandbox.khoros import Khoros

    from tests.singer import Row

REPORT_TYPES = ("CREATED", "OPEN_AT_END", "CLOSED")


def hashed(values: list[object]) -> str:
    """Return 128-bit BLAKE2b in hex over the compact JSON array, with the standard library only."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=16).hexdigest()


def midnight(day: date) -> datetime:
    """Return the first moment of a UTC day."""
    return datetime.combine(day, time(), tzinfo=timezone.utc)


def start_of(export: str, day: date) -> Start:
    """Return the start of an export for a day, as the sandbox counts it."""
    begin = int(midnight(day).timestamp() * 1000)
    return Start(export, begin, begin + 86_400_000, "")


def days(first: date = FIRST, last: date = LAST) -> list[date]:
    """Return the days from ``first`` to ``last``, both included."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def window_rows(
    api: Khoros, export: str, begin: datetime, end: datetime, **parameters: Any
) -> list[Row]:
    """Return the rows of one job, in order."""
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
    """Return the key of a row; ``seen`` counts the equal rows before it in the job."""
    values = [row[field] or None for field in sorted(row) if not field.endswith("_millis")]
    if export in AGGREGATES:
        values.insert(0, begin.isoformat())
    first = hashed(values)
    seen[first] += 1
    return first if seen[first] == 1 else hashed([*values, seen[first]])


def expected_rows(api: Khoros, export: str, dates: Iterable[date], **parameters: Any) -> list[Row]:
    """Return the rows of ``dates``, in order."""
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
