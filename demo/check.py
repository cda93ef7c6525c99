"""Whether all that the sandbox has has arrived: row by row, not only counted."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from demo.vendors import Vendor
    from demo.warehouse import Warehouse


def check(vendor: Vendor, warehouse: Warehouse, before: dict[str, int]) -> bool:
    """Compare and print a line a stream; whether all is as it should be."""
    lines = warehouse.line_counts()
    print(f"  {'stream':<28}{'lines this run':>15}{'rows expected':>15}{'rows arrived':>15}")
    good = True
    for stream in vendor.streams():
        wanted = vendor.expected(stream)
        here = Counter(warehouse.rows(vendor.query(stream)) if stream in lines else ())
        new = lines.get(stream, 0) - before.get(stream, 0)
        verdict = "" if wanted == here else "   <- differs"
        good = good and not verdict
        size, arrived = sum(wanted.values()), sum(here.values())
        print(f"  {stream:<28}{new:>15,}{size:>15,}{arrived:>15,}{verdict}")
    for stream in sorted(vendor.snapshots):
        new = lines.get(stream, 0) - before.get(stream, 0)
        good = good and new > 0
        print(f"  {stream:<28}{new:>15,}   (new rows with each run)")
    print("  Every row is there, once." if good else "  The rows differ.")
    return good
