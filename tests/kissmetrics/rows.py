"""The rows of reports as they should arrive, reckoned apart from the tap."""

from __future__ import annotations

import json
from collections import Counter
from copy import deepcopy
from datetime import datetime, timezone
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from tests.singer import Output

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from sandbox.kissmetrics import Kissmetrics

    from tests.singer import Row

UNPREDICTABLE = {"extracted_from"}  # the query's id depends on how often a report was started


def hashed(values: list[object]) -> str:
    """128-bit BLAKE2b, hex, over the compact JSON array: with the standard library only."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=16).hexdigest()


def utc(text: str) -> str:
    """An ISO 8601 text with an offset, in UTC."""
    return datetime.fromisoformat(text).astimezone(timezone.utc).isoformat()


def expected_rows(
    api: Kissmetrics, days: Iterable[date], report_ids: Iterable[str] | None = None
) -> list[Row]:
    """The rows of these days, of all reports that can be run or of these, in order."""
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
    """The rows of one window without the query's id."""
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
    """A run's output without what depends on who was faster: where the states stand in between.

    A state is written as soon as a report was started, and holds streams and reports in the order
    in which they were. The last one is left, in order.
    """
    rest = [message for message in output.messages if message["type"] != "STATE"]
    state = deepcopy(output.state)
    state["bookmarks"] = dict(sorted(state["bookmarks"].items()))
    for mark in state["bookmarks"].values():
        if "partitions" in mark:
            mark["partitions"].sort(key=lambda part: str(part["context"]))
    messages = [*rest, {"type": "STATE", "value": state}]
    return Output("".join(f"{json.dumps(message)}\n" for message in messages))


def comparable(rows: Iterable[Row], without: set[str] = UNPREDICTABLE) -> list[Row]:
    """Rows without what differs between two runs that are equally right."""
    return [{k: v for k, v in row.items() if k not in without} for row in rows]
