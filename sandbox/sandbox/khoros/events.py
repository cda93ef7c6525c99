"""The rows of the exports of events and conversations, and their order.

The rows of a day are spread evenly over it: the first at midnight, the last in its last
millisecond. With many rows per day a batch of them has the same moment, so that its bytes are a
block of an earlier batch with a few texts replaced.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta, timezone
from functools import cache, partial
from typing import NamedTuple

from sandbox.khoros import values as v
from sandbox.khoros.query import Query, is_business_hour
from sandbox.khoros.world import Batch, World, is_in, moment_tokens

DAY_MS = 86_400_000
LARGEST_LIFE_MS = max(life for life in v.LIVES_MS if life is not None)
MOST_MOMENTS = 1000  # a day has up to ten times as many
ACTION_LIMIT, RAISED_LIMIT = 500, 2000
LONG = "9999"  # instead of the thousands: the additional conversation of the day


def events(world: World, query: Query, as_of: int) -> Iterator[Batch]:
    """Return the events of the window."""
    return _Reader(world, query, as_of, _event_states).batches()


def conversations(world: World, query: Query, as_of: int) -> Iterator[Batch]:
    """Return the conversations of the report type, in their state at the window's end."""
    chosen = {"CREATED": _created, "CLOSED": _closed, "OPEN_AT_END": _open}[query.report_type]

    def states(limits: _Limits, at: int) -> States:
        return tuple(chosen(limits, at, life) for life in v.LIVES_MS)

    return _Reader(world, query, as_of, states).batches()


class _Limits(NamedTuple):
    """The window with or without its end, up to what is known."""

    start: int
    end: int
    is_end_included: bool
    as_of: int

    def has(self, at: int) -> bool:
        return self.start <= at and self.is_over(at)

    def is_over(self, at: int) -> bool:
        """Whether something at this time happened before the window's end."""
        last = self.end if self.is_end_included else self.end - 1
        return at <= min(last, self.as_of)


# The state of each class of rows (see ``LIVES_MS``) at a moment; None excludes the class.
States = tuple[str | None, ...]
StatesAt = Callable[[_Limits, int], States]


def _event_states(limits: _Limits, at: int) -> States:
    return ("" if limits.has(at) else None,) * len(v.LIVES_MS)


def _created(limits: _Limits, at: int, life: int | None) -> str | None:
    is_closed = life is not None and limits.is_over(at + life)
    return ("CLOSED" if is_closed else "OPEN") if limits.has(at) else None


def _closed(limits: _Limits, at: int, life: int | None) -> str | None:
    return "CLOSED" if life is not None and limits.has(at + life) else None


def _open(limits: _Limits, at: int, life: int | None) -> str | None:
    """Return the state if created before the end and not closed by then: a snapshot."""
    is_closed = life is not None and limits.is_over(at + life)
    return "OPEN" if limits.is_over(at) and not is_closed else None


class _Reader:
    """The batches of a query: the days of the window, without rows that filters exclude."""

    def __init__(self, world: World, query: Query, as_of: int, states: StatesAt) -> None:
        self._world = world
        self._query = query
        self._limits = _Limits(query.start, query.end, world.is_end_included, as_of)
        self._states = states
        self._is_wanted = cache(partial(passes, query))  # of 1000 patterns, few rows need few
        self._slots: dict[tuple[int, int, States], Sequence[v.Slot]] = {}

    def batches(self) -> Iterator[Batch]:
        for day in self._days():
            start = int(datetime(day.year, day.month, day.day, tzinfo=timezone.utc).timestamp())
            count = self._world.rows_on(self._query.export.id, day)
            yield from self._day(start * 1000, count)
            yield from self._long_conversation(start * 1000, count)

    def _days(self) -> Iterator[date]:
        types = {"OPEN_AT_END": self._limits.start, "CLOSED": LARGEST_LIFE_MS}
        before = types.get(self._query.report_type, 0)
        first = max(_day(self._limits.start - before), self._world.since)
        last = _day(min(self._limits.end, self._limits.as_of))
        yield from (first + timedelta(days=n) for n in range((last - first).days + 1))

    def _day(self, midnight: int, count: int) -> Iterator[Batch]:
        size = batch_size(count)
        moments = -(-count // size)
        for place in range(moments):
            at = midnight + _offset(place, moments)
            states = self._states(self._limits, at)
            if not any(state is not None for state in states) or not self._is_open_at(at):
                continue
            first = place * size
            key = (first % v.PATTERNS, min(size, count - first), states)
            slots = self._slots_of(key)
            if slots:
                serial = f"{midnight // DAY_MS:05d}{first // v.PATTERNS:04d}"
                yield Batch(key, partial(self._slots_of, key), len(slots), self._at(at, serial))

    def _is_open_at(self, at: int) -> bool:
        business = self._query.filters.business
        return business is None or is_business_hour(at) is business

    def _slots_of(self, key: tuple[int, int, States]) -> Sequence[v.Slot]:
        if key not in self._slots:
            first, size, states = key
            found = ((n, states[v.life_of(n)]) for n in range(first, first + size))
            self._slots[key] = [
                v.Slot(n, state) for n, state in found if state is not None and self._is_wanted(n)
            ]
        return self._slots[key]

    def _at(self, at: int, serial: str) -> tuple[tuple[str, str], ...]:
        return ((v.SERIAL, serial), *moment_tokens(self._query, at))

    def _long_conversation(self, midnight: int, count: int) -> Iterator[Batch]:
        """Yield the additional conversation, which the server truncates and only time filters."""
        at = midnight + DAY_MS // 2
        limit = RAISED_LIMIT if self._query.is_raised else ACTION_LIMIT
        size = min(self._world.long_actions, limit) if count else 0
        is_history = self._query.export.id == "conversation_history_action"
        if size and is_history and self._limits.has(at) and self._is_open_at(at):
            slots = [v.Slot(0, order=order) for order in range(1, size + 1)]
            tokens = self._at(at, f"{midnight // DAY_MS:05d}{LONG}")
            yield Batch(("long", size), slots.__iter__, size, tokens)


def batch_size(count: int) -> int:
    """Return how many rows have the same moment: 1, 10, 100 or 1000, more for larger days."""
    size = 1
    while size < v.PATTERNS and count > size * MOST_MOMENTS:
        size *= 10
    return size


def _offset(place: int, moments: int) -> int:
    """Return the moment in the day; the last of several is the last millisecond."""
    is_last = moments > 1 and place == moments - 1
    return DAY_MS - 1 if is_last else place * DAY_MS // moments


def _day(at: int) -> date:
    return datetime.fromtimestamp(max(at, 0) // 1000, tz=timezone.utc).date()


def passes(query: Query, number: int) -> bool:
    """Whether a pattern of events passes the filters, except for the business hours."""
    filters, who = query.filters, v.agent_of(number)
    has_disabled = "includeDisabled" in query.export.parameters
    return (
        is_in(filters.priorities, v.priority_of(number))
        and is_in(filters.queues, v.queue_of(number))
        and is_in(filters.teams, who.team.id)
        and (filters.smart_view != 11 or v.priority_of(number) > 3)
        and (filters.smart_view != 12 or v.queue_of(number) == v.QUEUES[0])
        and (filters.include_disabled or who.is_enabled or not has_disabled)
    )
