"""Whether all that the sandbox has has arrived: row by row, not only counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from demo.vendors import Vendor
    from demo.warehouse import Warehouse


@dataclass(frozen=True)
class StreamCheck:
    """A stream after a run. ``expected`` is None where each run adds rows of its own."""

    stream: str
    new_lines: int
    expected: int | None
    arrived: int
    is_good: bool


@dataclass(frozen=True)
class Arrival:
    """What one run of a tap brought; ``log``: where its warnings are, if it had any."""

    tap: str
    seconds: float
    streams: list[StreamCheck]
    log: str = ""

    @property
    def is_good(self) -> bool:
        """Whether every row is there, once."""
        return all(stream.is_good for stream in self.streams)

    @property
    def rows(self) -> int:
        """Rows that are there now, of all streams."""
        return sum(stream.arrived for stream in self.streams)

    @property
    def new_lines(self) -> int:
        """Lines that this run wrote; a row that was read again is a line again."""
        return sum(stream.new_lines for stream in self.streams)


def check(vendor: Vendor, warehouse: Warehouse, before: dict[str, int]) -> list[StreamCheck]:
    """Compare the rows of each stream; ``before``: the lines of each file before the run."""
    lines = warehouse.line_counts()
    new = {stream: count - before.get(stream, 0) for stream, count in lines.items()}
    compared = []
    for stream in vendor.streams():
        wanted = vendor.expected(stream)
        here = Counter(warehouse.rows(vendor.query(stream)) if stream in lines else ())
        sizes = sum(wanted.values()), sum(here.values())
        compared.append(StreamCheck(stream, new.get(stream, 0), *sizes, is_good=wanted == here))
    for stream in sorted(vendor.snapshots):
        count = new.get(stream, 0)
        here_now = lines.get(stream, 0)
        compared.append(StreamCheck(stream, count, None, here_now, is_good=count > 0))
    return compared
