"""The exports with a row for each agent, for the window or for each of its intervals."""

import calendar
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from sandbox.khoros import values as v
from sandbox.khoros.people import AGENTS, agent
from sandbox.khoros.query import WEEK_MS, Query
from sandbox.khoros.world import Batch, World, is_in, moment_tokens


def rosters(world: World, query: Query, _as_of: int) -> Iterator[Batch]:
    """Yield the rows, one for each agent and interval; the figures are for the whole window."""
    filters = query.filters
    members = [
        number
        for number in range(world.rows.get(query.export.id, AGENTS))
        if is_in(filters.teams, agent(number).team.id)
        and is_in(filters.agents, agent(number).id)
        and (filters.include_disabled or agent(number).is_enabled)
    ]
    for start, end in intervals(query):
        slots = [v.Slot(number, start=start, end=end) for number in members]
        if slots:
            yield Batch(None, tuple(slots).__iter__, len(slots), moment_tokens(query, start))


def intervals(query: Query) -> Iterator[tuple[int, int]]:
    """Yield the intervals of the window: months of UTC above a week, or the whole window."""
    if not query.interval:
        yield query.start, query.end
        return
    start = query.start
    while start < query.end:
        later = _next_month(start) if query.interval > WEEK_MS else start + query.interval
        yield start, min(later, query.end)
        start = later


def _next_month(at: int) -> int:
    moment = datetime.fromtimestamp(at // 1000, tz=timezone.utc)
    first = datetime(moment.year, moment.month, 1, tzinfo=timezone.utc)
    days = calendar.monthrange(moment.year, moment.month)[1]
    return int((first + timedelta(days=days)).timestamp() * 1000)
