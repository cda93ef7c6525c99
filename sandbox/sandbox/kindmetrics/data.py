"""The account that the sandbox serves: its domains, and the figures that the API must return."""

from collections.abc import Mapping
from datetime import date, datetime, time, timezone
from typing import Any

from sandbox.clock import Clocked
from sandbox.kindmetrics.catalog import Domain, Goal, goals_of, make_domain
from sandbox.kindmetrics.figures import FIGURES, Filters, Query, Row, current
from sandbox.kindmetrics.visits import World

EMAIL = "demo@kindmetrics.example"


class Data(Clocked):
    """The expected figures: what a complete and correct reader of the API gets.

    Figures of today, and of yesterday in the early hours, grow with ``now``, which tests may set.
    """

    def __init__(
        self,
        world: World,
        *,
        domains: int,
        now: datetime | None = None,
        created: Mapping[int, date] | None = None,
    ) -> None:
        """Make an account; ``created`` sets the first day of some domains."""
        super().__init__(now, whole_minutes=True)
        given = created or {}
        self.world = world
        self.email = EMAIL
        self._domains = {n: make_domain(n, given.get(n)) for n in range(1, domains + 1)}

    @property
    def today(self) -> date:
        """The UTC day of ``now``: the only partial one."""
        return self.now.date()

    @property
    def domains(self) -> list[Row]:
        """What ``/api/domains`` returns."""
        return [{"id": d.id, "address": d.address} for d in self._domains.values()]

    def domain(self, domain_id: int) -> Domain | None:
        """Return a domain of the account; None for an unknown id."""
        return self._domains.get(domain_id)

    def goals(self, domain_id: int) -> tuple[Goal, ...]:
        """Return a domain's goals with their ids, which the API does not return."""
        return goals_of(domain_id) if domain_id in self._domains else ()

    def figures(
        self,
        endpoint: str,
        domain_id: int,
        first: date | None = None,
        last: date | None = None,
        filters: Filters | None = None,
    ) -> Any:
        """Return the JSON value that an endpoint must return.

        ``endpoint`` is the last part of the path in lower case, or ``stats`` for the domain
        itself; ``current`` takes neither window nor filters. The window defaults to today.

        Raises:
            KeyError: there is no such domain or endpoint.
        """
        domain, now = self._domains[domain_id], self.now
        if endpoint == "current":
            return current(self.world, domain, now)
        begin = first or now.date()
        query = Query(domain, begin, last or begin, now, filters or Filters())
        return FIGURES[endpoint](self.world, query)

    def rows(
        self,
        endpoint: str,
        domain_id: int,
        first: date | None = None,
        last: date | None = None,
        **filters: Any,
    ) -> list[Row]:
        """Return the figures as rows: a single object is one row."""
        value = self.figures(endpoint, domain_id, first, last, Filters(**filters))
        return value if isinstance(value, list) else [value]


def noon(today: date | None) -> datetime | None:
    """Return noon of a day in UTC; None for None."""
    return None if today is None else datetime.combine(today, time(12), timezone.utc)
