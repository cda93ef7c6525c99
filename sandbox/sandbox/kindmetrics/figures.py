"""What the API returns, without any HTTP: pure functions of the world, the window and the clock.

The HTTP side responds with it; tests and the demo compare with it what has arrived.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from itertools import chain
from typing import Any, NamedTuple

from sandbox.kindmetrics.catalog import COUNTRIES, TOP_COUNTRIES, Domain, Goal, goals_of
from sandbox.kindmetrics.catalog import page_address as address_of
from sandbox.kindmetrics.visits import (
    DAY_SECONDS,
    SETTLED_SECONDS,
    Visit,
    World,
    visits_of,
)

Row = dict[str, Any]
SNIPPET = '<script src="https://kindmetrics.io/js/kind.js" defer="true" data-domain="{}"></script>'


class Filters(NamedTuple):
    """Equality filters; None does not filter. ``country`` is the two-letter code."""

    source_name: str | None = None
    medium_name: str | None = None
    site_path: str | None = None
    goal_id: int | None = None
    country: str | None = None
    browser: str | None = None


NO_FILTERS = Filters()


@dataclass(frozen=True)
class Query:
    """A request for figures: UTC days, both included, as known at ``now``."""

    domain: Domain
    first: date
    last: date
    now: datetime
    filters: Filters = NO_FILTERS


def is_settled(last: date, now: datetime) -> bool:
    """Whether the figures of a window that ends with this day are final."""
    return _seconds_since(last, now) >= DAY_SECONDS + SETTLED_SECONDS


def known_visits(world: World, query: Query) -> list[Visit]:
    """Return the visits of the window that the server knows and the filters pass."""
    visits: list[Visit] = []
    first = max(query.first, query.domain.created)
    for number in range((query.last - first).days + 1):
        day = first + timedelta(days=number)
        known = _seconds_since(day, query.now)
        if known < 0:
            break
        visits += [visit for visit in visits_of(world, query.domain, day) if visit.known <= known]
    return list(filter(_test_for(query), visits)) if any(query.filters) else visits


def _seconds_since(day: date, now: datetime) -> float:
    midnight = datetime(day.year, day.month, day.day, tzinfo=timezone.utc)
    return (now - midnight).total_seconds()


def _test_for(query: Query) -> Callable[[Visit], bool]:
    """Return the test that a visit must pass."""
    source, medium, path, goal_id, country, browser = query.filters
    goal = next((goal for goal in goals_of(query.domain.id) if goal.id == goal_id), None)

    def test(visit: Visit) -> bool:
        referrer = visit.referrer
        return (
            (source is None or referrer.source == source)
            and (medium is None or referrer.medium == medium)
            and (country is None or visit.country == country)
            and (browser is None or visit.browser == browser)
            and (path is None or path in addresses(visit))
            and (goal_id is None or (goal is not None and converts(visit, goal)))
        )

    return test


def addresses(visit: Visit) -> set[str | None]:
    """Return the addresses of the pages viewed."""
    return {address_of(page) for page in visit.pages()}


def converts(visit: Visit, goal: Goal) -> bool:
    """Whether the visit reached the goal: viewed the path, or triggered the event."""
    return goal.name in (addresses(visit) if goal.kind == "Path" else visit.events)


def stats(world: World, query: Query) -> Row:
    """Return the totals of the window; with a path, pageviews only count that path."""
    visits = known_visits(world, query)
    path = query.filters.site_path
    if path is None:
        views = sum(visit.views for visit in visits)
    else:
        views = sum(address_of(page) == path for visit in visits for page in visit.pages())
    bounced = sum(visit.views == 1 for visit in visits)
    return {
        "address": query.domain.address,
        "visitors": len({visit.visitor for visit in visits}),
        "pageviews": views,
        "bounce": bounced * 100 // len(visits) if visits else 0,
        "track_snippet": SNIPPET.format(query.domain.address),
    }


def pages(world: World, query: Query) -> list[Row]:
    """Return a row per page; with a path, of that page only."""
    path = query.filters.site_path
    seen: defaultdict[int, set[int]] = defaultdict(set)
    for visit in known_visits(world, query):
        seen[visit.visitor].update(visit.pages())
    counts = Counter(chain.from_iterable(seen.values()))
    rows = [(address_of(page), count) for page, count in sorted(counts.items(), key=_most_first)]
    wanted = [(address, count) for address, count in rows if path is None or address == path]
    return _with_percentage(({"address": address}, count) for address, count in wanted)


def entry_pages(world: World, query: Query) -> list[Row]:
    """Return a row per page that visits began with; with a path, of that page only."""
    path = query.filters.site_path
    visits = known_visits(world, query)
    entries = ((visit, address_of(visit.entry)) for visit in visits)
    counts = _visitors_by((v, entry) for v, entry in entries if path is None or entry == path)
    return _with_percentage(({"address": entry}, count) for entry, count in counts)


def sources(world: World, query: Query) -> list[Row]:
    """Return a row per source, without the visits that have none."""
    referrers = ((visit, visit.referrer) for visit in known_visits(world, query))
    counts = _visitors_by(
        (visit, (referrer.source, referrer.medium))
        for visit, referrer in referrers
        if referrer.source is not None
    )
    return _with_percentage(
        ({"source": source, "medium": medium}, count) for (source, medium), count in counts
    )


def referrers(world: World, query: Query) -> list[Row]:
    """Return a row per referring address and domain, each of which can be null."""
    counts = _visitors_by(
        (visit, (visit.referrer.url, visit.referrer.domain)) for visit in known_visits(world, query)
    )
    return _with_percentage(({"url": url, "domain": name}, count) for (url, name), count in counts)


def countries(world: World, query: Query) -> list[Row]:
    """Return a row for each of the six countries with most visitors, and shares of these six."""
    counts = _visitors_by((visit, visit.country) for visit in known_visits(world, query))
    return _with_percentage(
        ({"name": COUNTRIES[code]}, count) for code, count in counts[:TOP_COUNTRIES]
    )


def goals(world: World, query: Query) -> list[Row]:
    """Return a row per goal of the domain, reached or not; three of the filters do not apply."""
    filters = query.filters._replace(goal_id=None, country=None, browser=None)
    unfiltered = Query(query.domain, query.first, query.last, query.now, filters)
    visits = known_visits(world, unfiltered)
    reached = [
        (len({visit.visitor for visit in visits if converts(visit, goal)}), goal)
        for goal in goals_of(query.domain.id)
    ]
    reached.sort(key=lambda pair: -pair[0])
    return [{"name": goal.name, "kind": goal.kind, "conversions": count} for count, goal in reached]


def current(world: World, domain: Domain, now: datetime) -> Row:
    """Return the number of visitors whose visit is in progress and began yesterday or today."""
    visitors: set[int] = set()
    today = now.date()
    for day in (today - timedelta(days=1), today):
        second = _seconds_since(day, now)
        visits = visits_of(world, domain, day)
        visitors |= {visit.visitor for visit in visits if visit.began <= second < visit.ended}
    return {"current": len(visitors)}


def _visitors_by(pairs: Iterable[tuple[Visit, Any]]) -> list[tuple[Any, int]]:
    """Return the number of distinct visitors per thing, highest first; ties in order of text."""
    seen: defaultdict[Any, set[int]] = defaultdict(set)
    for visit, thing in pairs:
        seen[thing].add(visit.visitor)
    counts = [(thing, len(visitors)) for thing, visitors in seen.items()]
    return sorted(counts, key=lambda pair: (-pair[1], repr(pair[0])))


def _most_first(pair: tuple[int, int]) -> tuple[int, int]:
    return -pair[1], pair[0]


def _with_percentage(counted: Iterable[tuple[Row, int]]) -> list[Row]:
    """Add visitors and their percentage of the total of all rows, rounded down."""
    rows = list(counted)
    total = sum(count for _, count in rows)
    return [{**row, "visitors": count, "percentage": count * 100 // total} for row, count in rows]


FIGURES: Mapping[str, Callable[[World, Query], Any]] = {
    "stats": stats,
    "pages": pages,
    "entry_pages": entry_pages,
    "sources": sources,
    "referrers": referrers,
    "countries": countries,
    "goals": goals,
}
