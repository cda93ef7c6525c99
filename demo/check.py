"""Whether all that the sandbox has has arrived: row by row, not only counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.kindmetrics.data import Data

    from demo.warehouse import Warehouse

ENDPOINTS = {
    "domain_stats": "stats",
    "pages": "pages",
    "entry_pages": "entry_pages",
    "sources": "sources",
    "referrers": "referrers",
    "countries": "countries",
    "goals": "goals",
}
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Days:
    """The days that the demo reads, both included."""

    first: date
    last: date

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1))


def expected(data: Data, stream: str, days: Days) -> Counter[Row]:
    """The rows that a complete and correct reader has in the end, as (domain, day, values)."""
    if stream == "account":
        return Counter([(data.email,)])
    ids = [domain["id"] for domain in data.domains]
    if stream == "domains":
        return Counter((domain["id"], domain["address"]) for domain in data.domains)
    return Counter(
        (domain_id, day, *row.values())
        for domain_id in ids
        for day in days
        for row in data.rows(ENDPOINTS[stream], domain_id, day, day)
    )


def arrived(warehouse: Warehouse, stream: str, days: Days) -> Counter[Row]:
    """The rows in the warehouse, in the same form."""
    if stream in {"account", "domains"}:
        return Counter(tuple(row.values()) for row in warehouse.rows(f"FROM {stream}"))
    ours = "row_id, " if stream != "domain_stats" else ""
    query = (
        f"SELECT domain_id, date, * EXCLUDE ({ours}domain_id, segment, date, date_to) "
        f"FROM {stream} WHERE date BETWEEN '{days.first}' AND '{days.last}'"
    )
    return Counter(tuple(row.values()) for row in warehouse.rows(query))


def check(data: Data, days: Days, warehouse: Warehouse, before: dict[str, int]) -> bool:
    """Compare and print a line a stream; whether all is as it should be."""
    lines = warehouse.line_counts()
    print(f"\n{'stream':<18}{'lines this run':>16}{'rows expected':>16}{'rows arrived':>16}")
    good = True
    for stream in ["account", "domains", *ENDPOINTS]:
        wanted, here = expected(data, stream, days), arrived(warehouse, stream, days)
        right = wanted == here
        good = good and right
        new = lines.get(stream, 0) - before.get(stream, 0)
        verdict = "" if right else "   <- differs"
        print(
            f"{stream:<18}{new:>16,}{sum(wanted.values()):>16,}{sum(here.values()):>16,}{verdict}"
        )
    new = lines.get("current_visitors", 0) - before.get("current_visitors", 0)
    right = new == len(data.domains)
    print(f"{'current_visitors':<18}{new:>16,}   (a row a domain a run)")
    print("\nEvery row is there, once." if good and right else "\nThe rows differ.")
    return good and right
