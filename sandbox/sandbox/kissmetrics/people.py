"""The rows of a report's window: the people who were active in it.

On each local day of a product a range of its pool of people is active, evenly spread over the
day: the first person in its first second, the last one in its last second. A window is therefore
a few ranges of people, and any page of rows can be made without the others.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from itertools import accumulate
from typing import Any
from zlib import crc32

from sandbox.kissmetrics.zones import local_day, local_seconds, local_text, midnight

ISO_8601 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d:?\d\d)")
Cell = Any  # text, number or null
# After this number of people a row repeats the first of them with another identity.
REPEAT_AFTER = 24
DAY_PARTS = 100  # all reports but the first have 50 to 99 of them, or none
PLANS = (None, "Free", 'Pro "Plus"', "Größe M", "", None, "null")
LABELS = (("Signed up", "total_times"), ("Signed up", "last"), ("Plan", "last"), ("Revenue", "sum"))


@dataclass(frozen=True)
class RowQuery:
    """A query for rows: Unix seconds, both included, as known at ``known``."""

    report: int
    product: int
    zone: tzinfo
    start: float
    end: float
    known: float


@dataclass(frozen=True)
class Shape:
    """What all reports have in common: see ``Sizes``; ``first_day`` is the product's."""

    seed: str
    rows_per_day: int
    columns: int
    late_seconds: int
    first_day: date


@dataclass(frozen=True)
class Share:
    """A day's part of a window: the people ``first + low`` to ``first + high`` of the pool."""

    begins: int
    seconds: int
    first: int
    people: int
    low: int
    high: int

    def second(self, place: int) -> int:
        """Return the Unix second in which the person at this place of the day was active."""
        return self.begins + place * (self.seconds - 1) // max(1, self.people - 1)


class Rows:
    """The rows of one window, counted and cut into pages without making all of them."""

    def __init__(self, query: RowQuery, shape: Shape) -> None:
        """Find the people in the window."""
        self.query = query
        self.shape = shape
        most = people_for(shape.rows_per_day)
        self._pool = most + most // 2 + 1
        self._shares = list(_shares(query, shape, self._pool))
        self._ranges = _union(self._shares, self._pool)
        self._ends = list(accumulate(high - low for low, high in self._ranges))
        people = self._ends[-1] if self._ends else 0
        self._count = people + people // REPEAT_AFTER

    def __len__(self) -> int:
        """Return the number of rows, repetitions included."""
        return self._count

    def page(self, offset: int, limit: int, *, shifted: bool = False) -> list[list[Cell]]:
        """Return rows by position: kmid, identity, then the cells of the columns.

        ``shifted`` formats dates as shifted Unix seconds instead of local text.
        """
        positions = range(offset, min(offset + limit, self._count))
        return [self._row(position, shifted=shifted) for position in positions]

    def _row(self, position: int, *, shifted: bool) -> list[Cell]:
        block, place = divmod(position, REPEAT_AFTER + 1)
        width = self.shape.columns
        if place == REPEAT_AFTER:
            person = self._person(block * REPEAT_AFTER)
            kmid, identity = who(self.query.product, person)
            return [kmid, f"alias.{identity}", *([0, None, None, 0][:width])]
        person = self._person(block * REPEAT_AFTER + place)
        return [*who(self.query.product, person), *self._cells(person, shifted=shifted)[:width]]

    def _person(self, place: int) -> int:
        """Return the place in the pool of the person at this place of the window."""
        number = bisect_right(self._ends, place)
        before = self._ends[number - 1] if number else 0
        return self._ranges[number][0] + place - before

    def _cells(self, person: int, *, shifted: bool) -> list[Cell]:
        times = 0
        last = 0
        for share in self._shares:
            place = (person - share.first) % self._pool
            if share.low <= place < share.high:
                times += 1 + person % 3
                last = share.second(place)
        format_time = local_seconds if shifted else local_text
        revenue = person * 37 % 1000 * times / 100 if person % 5 else 0
        return [times, format_time(last, self.query.zone), PLANS[person % len(PLANS)], revenue]


def who(product: int, person: int) -> tuple[int, str]:
    """Return a person's number and identity, which is not always an e-mail address."""
    kmid = 100_000_000 * product + person
    if person % 11 == 0:
        return kmid, f"anonymous+{person:x}/ü="
    return kmid, f"person{person}@product{product}.example"


def people_for(rows: int) -> int:
    """Return how many people make this number of rows, repetitions included."""
    blocks, rest = divmod(rows, REPEAT_AFTER + 1)
    return blocks * REPEAT_AFTER + rest


def _shares(query: RowQuery, shape: Shape, pool: int) -> Iterator[Share]:
    """Yield the part of each local day that has people in the window."""
    end = min(query.end, query.known)
    begin = max(query.start, midnight(shape.first_day, query.zone))
    if begin > end:
        return
    day, last = local_day(begin, query.zone), local_day(end, query.zone)
    while day <= last:
        share = _share(query, shape, day, pool)
        if share.high > share.low:
            yield share
        day += timedelta(days=1)


def _share(query: RowQuery, shape: Shape, day: date, pool: int) -> Share:
    drawn = crc32(f"{shape.seed}/{query.report}/{day.isoformat()}".encode())
    people = people_for(_rows_of_day(query.report, drawn, shape.rows_per_day))
    begins = midnight(day, query.zone)
    seconds = midnight(day + timedelta(days=1), query.zone) - begins
    whole = Share(begins, seconds, drawn % pool, people, 0, people)
    places = range(people)
    low = bisect_left(places, query.start, key=whole.second)
    high = bisect_right(places, min(query.end, query.known), key=whole.second)
    known = bisect_right(places, query.known - shape.late_seconds, key=whole.second)
    punctual = people - people // 10
    high = min(high, max(known, punctual))
    return Share(begins, seconds, whole.first, people, low, high)


def _rows_of_day(report: int, drawn: int, rows: int) -> int:
    """Return a day's size: the first report has all rows every day, the others vary."""
    if report == 1:
        return rows
    part = drawn // 7 % DAY_PARTS
    return 0 if part < DAY_PARTS // 10 else rows * (DAY_PARTS // 2 + part // 2) // DAY_PARTS


def _union(shares: list[Share], pool: int) -> list[tuple[int, int]]:
    """Return the people of all days as disjoint ranges of the pool, in order."""
    pieces: list[tuple[int, int]] = []
    for share in shares:
        low, high = share.first + share.low, share.first + share.high
        if low >= pool:
            pieces.append((low - pool, high - pool))
        elif high > pool:
            pieces += [(low, pool), (0, high - pool)]
        else:
            pieces.append((low, high))
    joined: list[tuple[int, int]] = []
    for low, high in sorted(pieces):
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return joined


def seconds_of(text: str) -> float | None:
    """Return ISO 8601 with an offset as Unix seconds; None for any other text."""
    parts = ISO_8601.fullmatch(text)
    if parts is None:
        return None
    fraction, offset = (parts[2] or "").ljust(6, "0"), parts[3].replace("Z", "+00:00")
    try:  # Python 3.10 accepts only this form
        moment = datetime.fromisoformat(f"{parts[1]}.{fraction}{offset[:3]}:{offset[-2:]}")
    except ValueError:
        return None
    return moment.timestamp()
