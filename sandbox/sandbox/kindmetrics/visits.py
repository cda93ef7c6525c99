"""The invented visits of a domain's day, the same every time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import chain
from random import Random

from sandbox.kindmetrics.catalog import (
    BROWSERS,
    COUNTRY_CODES,
    ODD_PAGES,
    REFERRERS,
    Domain,
    Referrer,
)

DAY_SECONDS = 86_400
SETTLED_SECONDS = 6 * 3600  # after midnight, when the last late visit of a day is known
POPULAR_PAGES = 8
EMPTY_DAYS_IN_100 = 15
POOL_FACTOR = 5  # all visitors, as a multiple of a day's; a lower one means more return


@dataclass(frozen=True)
class World:
    """What determines every visit, with the domain and the day."""

    seed: str = "sandbox"
    visitors_per_day: int = 60
    pages_per_day: int = 20

    @property
    def popular_pages(self) -> int:
        """How many pages, the first ones of the catalog, have most of the views."""
        return min(POPULAR_PAGES, self.pages_per_day)


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit. Seconds count from midnight of its day and may be after the next midnight.

    The server knows it from ``known`` on, which for late visits is hours after they ``began``.
    Pages are numbers of the catalog: ``entry``, then ``clicks``, then the ``tails``.
    """

    visitor: int
    began: int
    ended: int
    known: int
    referrer: Referrer
    country: str
    browser: str
    entry: int
    clicks: tuple[int, ...]
    tails: tuple[range, range]
    events: tuple[str, ...]

    @property
    def views(self) -> int:
        """How many pages were viewed, repeats included."""
        return 1 + len(self.clicks) + len(self.tails[0]) + len(self.tails[1])

    def pages(self) -> Iterator[int]:
        """Yield the pages viewed, repeats included."""
        return chain((self.entry,), self.clicks, *self.tails)


@lru_cache(maxsize=8192)
def visits_of(world: World, domain: Domain, day: date) -> tuple[Visit, ...]:
    """Return all visits that began on a UTC day; none before the domain was created.

    The first domain has visits every day, the others have days without any. On a day with visits
    each of the day's pages is viewed before the day ends.
    """
    rng = Random(f"{world.seed}/{domain.id}/{day.isoformat()}")  # noqa: S311 (invented figures)
    is_empty = domain.id != 1 and rng.randrange(100) < EMPTY_DAYS_IN_100
    if day < domain.created or is_empty:
        return ()
    count = max(2, int(world.visitors_per_day * (0.6 + 0.8 * rng.random())))
    visitors = rng.sample(range(world.visitors_per_day * POOL_FACTOR + count), count)
    visitors += rng.choices(visitors, k=count // 10)  # some visit twice a day
    tails = _tails(world.pages_per_day, day, len(visitors))
    return tuple(
        _visit(rng, (domain.id, visitor), world.popular_pages, tails[number], is_last=number == 0)
        for number, visitor in enumerate(visitors)
    )


def _tails(pages: int, day: date, visits: int) -> Sequence[tuple[range, range]]:
    """Distribute the day's pages over its visits, so that each page has a view.

    Ordinary pages differ a little from day to day: their numbers are shifted.
    """
    odd = min(pages, len(ODD_PAGES))
    shift = odd + day.toordinal() % 7 * (pages // 20)
    last = shift + pages - odd
    return [(range(n, odd, visits), range(shift + n, last, visits)) for n in range(visits)]


def _visit(
    rng: Random,
    who: tuple[int, int],
    popular: int,
    tails: tuple[range, range],
    *,
    is_last: bool,
) -> Visit:
    domain_id, visitor = who
    began = DAY_SECONDS - 60 if is_last else int(DAY_SECONDS * (rng.random() + rng.random()) / 2)
    is_late = is_last or rng.randrange(20) == 0
    clicks = tuple(rng.randrange(popular) for _ in range(rng.randrange(4)))
    return Visit(
        visitor=visitor,
        began=began,
        ended=began + (rng.randrange(60, 3600) if clicks else 30),
        known=began + (rng.randrange(3600, SETTLED_SECONDS) if is_late else 0),
        referrer=REFERRERS[rng.randrange(len(REFERRERS))],
        # A visitor has one country and one browser.
        country=COUNTRY_CODES[(visitor * 7 + domain_id) % len(COUNTRY_CODES)],
        browser=BROWSERS[visitor % len(BROWSERS)],
        entry=min(rng.randrange(popular), rng.randrange(popular)),
        clicks=clicks,
        tails=tails,
        events=_events(rng),
    )


def _events(rng: Random) -> tuple[str, ...]:
    drawn = rng.randrange(12)
    if drawn == 0:
        return ("/sign_up", "Kauf 🛒")
    return ("Kauf 🛒",) if drawn < 3 else ()
