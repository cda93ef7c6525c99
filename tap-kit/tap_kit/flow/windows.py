"""Windows of whole days: the days that a run reads, and how it splits them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import overload

from typing_extensions import override

_ISO_8601 = re.compile(r"\d{4}-\d{2}-\d{2}($|[T ])")


@dataclass(frozen=True, order=True)
class Window:
    """Whole days from ``first`` to ``last``, both included."""

    first: date
    last: date


@dataclass(frozen=True)
class Windows(Sequence[Window]):
    """The windows of ``days`` days from ``first`` to ``last``, ascending, without gap or overlap.

    Shape: the last window is cut at ``last``; there is none if ``first`` is after ``last``. They
    are computed on access, so that five years of days cost nothing before they are read.
    """

    first: date
    last: date
    days: int

    @override
    def __len__(self) -> int:
        span = (self.last - self.first).days + 1
        return max(0, -(-span // self.days))

    @overload
    def __getitem__(self, index: int) -> Window: ...
    @overload
    def __getitem__(self, index: slice) -> list[Window]: ...
    @override
    def __getitem__(self, index: int | slice) -> Window | list[Window]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        size = len(self)
        position = index + size if index < 0 else index
        if not 0 <= position < size:
            raise IndexError(index)
        first = self.first + timedelta(days=position * self.days)
        return Window(first, min(first + timedelta(days=self.days - 1), self.last))


@dataclass(frozen=True)
class DayRange:
    """The days that a run reads: from ``start`` to ``end``, in windows of ``days`` days.

    ``lookback`` is the number of days before the bookmark to read again.
    """

    start: date
    end: date
    days: int = 1
    lookback: int = 0

    def windows(self, bookmark: date | None) -> Windows:
        """Return the windows to read after ``bookmark``, the first day of the last window read.

        Without a bookmark they start at ``start``. With one they start ``lookback`` days earlier,
        in steps of whole windows, so that a window that is read again has the same first day and
        its rows replace the old ones; but never before ``start``. A bookmark after ``end`` (the
        clock was wrong, or ``end`` was moved back) is first moved back in the same steps.
        """
        if bookmark is None:
            return Windows(self.start, self.end, self.days)
        steps_beyond = max(0, -(-(bookmark - self.end).days // self.days))
        newest = bookmark - timedelta(days=steps_beyond * self.days)
        if newest < self.start:
            return Windows(self.start, self.end, self.days)
        steps_wanted = -(-self.lookback // self.days)
        steps_available = (newest - self.start).days // self.days
        steps = min(steps_wanted, steps_available)
        return Windows(newest - timedelta(days=steps * self.days), self.end, self.days)


def parse_day(text: str) -> date:
    """Return the UTC day of an ISO 8601 date or date-time; one without an offset is in UTC.

    All Python versions accept the same texts here. By itself, Python 3.10 rejects ``Z``, and 3.11
    also accepts ``20240131``.

    Raises:
        ValueError: if the text is neither.
    """
    if not _ISO_8601.match(text):
        raise ValueError(text)
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    try:
        return moment.astimezone(timezone.utc).date()
    except OverflowError:  # the first or last possible day, in another time zone
        raise ValueError(text) from None
