"""Check that all rows of the sandbox arrived: compare row by row, not only counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from demo.vendors import Vendor
    from demo.warehouse import Warehouse


@dataclass(frozen=True)
class StreamCheck:
    """A stream after a run. ``expected`` is None if each run adds new rows."""

    stream: str
    new_lines: int
    expected: int | None
    arrived: int
    is_good: bool


@dataclass(frozen=True)
class Arrival:
    """The result of one run of a tap. ``log`` is the path of the log if it has warnings."""

    tap: str
    seconds: float
    streams: list[StreamCheck]
    log: str = ""

    @property
    def is_good(self) -> bool:
        """Whether every row arrived exactly once."""
        return all(stream.is_good for stream in self.streams)

    @property
    def rows(self) -> int:
        """The number of rows of all streams after the run."""
        return sum(stream.arrived for stream in self.streams)

    @property
    def new_lines(self) -> int:
        """The number of lines that this run wrote; a row that is read again is another line."""
        return sum(stream.new_lines for stream in self.streams)


def check(vendor: Vendor, warehouse: Warehouse, before: dict[str, int]) -> list[StreamCheck]:
    """Compare the rows of each stream; ``before`` has the line counts before the run."""
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
