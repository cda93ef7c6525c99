"""The expected rows of lists and reports, computed without the tap's code."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timezone
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, cast

from tests.singer import Output, without_times

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from sandbox.kissmetrics import Kissmetrics
    from sandbox.kissmetrics.rules import ListName

    from tests.singer import Row

UNPREDICTABLE = {"extracted_from"}  # the query's id depends on how often a report was started


def hashed(values: list[object]) -> str:
    """Return 128-bit BLAKE2b, hex, over the compact JSON array, by the standard library only."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=16).hexdigest()


def utc(text: str) -> str:
    """Return an ISO 8601 text with an offset in UTC."""
    return datetime.fromisoformat(text).astimezone(timezone.utc).isoformat()


def expected_list(api: Kissmetrics, name: str, product_id: str | None = None) -> list[Row]:
    """Return the rows of a list: its documented fields and those that were observed."""
    return [_shaped(record) for record in api.data.records(cast("ListName", name), product_id)]


def _shaped(record: Row) -> Row:
    contact = record.pop("contact", None)
    record.pop("tracking_key", None)
    if contact is not None:
        record |= {f"contact_{field}": value for field, value in contact.items()}
    return record


def expected_rows(
    api: Kissmetrics, days: Iterable[date], report_ids: Iterable[str] | None = None
) -> list[Row]:
    """Return the rows of these days, of all runnable reports or of these, in order."""
    rows = []
    days = list(days)
    reports = {record["id"]: record for record in api.data.records("reports")}
    for report_id in api.data.runnable_reports() if report_ids is None else report_ids:
        for day in days:
            start, end = api.data.day_window(report_id, day)
            arrays = api.data.rows(report_id, start, end)
            rows += window_rows(reports[report_id], utc(start), utc(end), arrays)
    return rows


def window_rows(report: Row, start: str, end: str, arrays: list[list[Any]]) -> list[Row]:
    """Return the rows of one window, without the query's id."""
    seen: Counter[Any] = Counter()
    rows = []
    for number, (kmid, identity, *cells) in enumerate(arrays, 1):
        seen[kmid] += 1
        rows.append(
            {
                "row_id": hashed([report["id"], start, kmid, seen[kmid]]),
                "report_id": report["id"],
                "report_name": report["name"],
                "product_id": report["product_id"],
                "start_date": start,
                "end_date": end,
                "row_number": number,
                "kmid": kmid,
                "identity": identity,
                "values": {f"column_{place}": cell for place, cell in enumerate(cells, 1)},
            }
        )
    return rows


def settled(output: Output) -> Output:
    """Return a run's output without what depends on timing: only its last state, sorted.

    A state is written as soon as a report starts; its streams and reports are in the order of
    their starts.
    """
    rest = [message for message in output.messages if message["type"] != "STATE"]
    state = without_times(output.state)
    state["bookmarks"] = dict(sorted(state["bookmarks"].items()))
    for mark in state["bookmarks"].values():
        if "partitions" in mark:
            mark["partitions"].sort(key=lambda part: str(part["context"]))
    messages = [*rest, {"type": "STATE", "value": state}]
    return Output("".join(f"{json.dumps(message)}\n" for message in messages))


def comparable(rows: Iterable[Row], without: set[str] = UNPREDICTABLE) -> list[Row]:
    """Return rows without the fields that differ between two correct runs."""
    return [{k: v for k, v in row.items() if k not in without} for row in rows]
