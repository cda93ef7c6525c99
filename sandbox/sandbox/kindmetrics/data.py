"""The account that the sandbox serves: its domains, and the answers it ought to give."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timezone
from typing import Any

from sandbox.kindmetrics.catalog import Domain, Goal, goals_of, make_domain
from sandbox.kindmetrics.figures import FIGURES, Filters, Question, Row, current
from sandbox.kindmetrics.visits import World

EMAIL = "demo@kindmetrics.example"
Clock = Callable[[], datetime]


class Data:
    """The expected side: what a complete and correct reader of the API gets.

    ``now`` may be moved by tests; figures of today, and of yesterday in the early hours, grow
    with it. Unset, it is the real UTC time, in whole minutes so that answers can be kept.
    """

    def __init__(
        self,
        world: World,
        *,
        domains: int,
        now: datetime | None = None,
        created: Mapping[int, date] | None = None,
    ) -> None:
        """Make an account; ``created`` gives some domains another first day."""
        given = created or {}
        self.world = world
        self.email = EMAIL
        self._now = _aware(now)
        self._domains = {n: make_domain(n, given.get(n)) for n in range(1, domains + 1)}

    @property
    def now(self) -> datetime:
        """The time by the sandbox's clock."""
        return self._now or datetime.now(timezone.utc).replace(second=0, microsecond=0)

    @now.setter
    def now(self, now: datetime | None) -> None:
        self._now = _aware(now)

    @property
    def today(self) -> date:
        """The UTC day of ``now``: the only partial one."""
        return self.now.date()

    @property
    def domains(self) -> list[Row]:
        """What ``/api/domains`` answers."""
        return [{"id": d.id, "address": d.address} for d in self._domains.values()]

    def domain(self, domain_id: int) -> Domain | None:
        """Give a domain of the account; None for an id it does not have."""
        return self._domains.get(domain_id)

    def goals(self, domain_id: int) -> tuple[Goal, ...]:
        """Give a domain's goals with their ids, which the API does not tell."""
        return goals_of(domain_id) if domain_id in self._domains else ()

    def answer(
        self,
        endpoint: str,
        domain_id: int,
        first: date | None = None,
        last: date | None = None,
        filters: Filters | None = None,
    ) -> Any:
        """Give the JSON value that an endpoint ought to answer.

        ``endpoint`` is the last part of the path in lower case, or ``stats`` for the domain
        itself; ``current`` takes neither window nor filters. The window defaults to today.

        Raises:
            KeyError: there is no such domain or endpoint.
        """
        domain, now = self._domains[domain_id], self.now
        if endpoint == "current":
            return current(self.world, domain, now)
        begin = first or now.date()
        question = Question(domain, begin, last or begin, now, filters or Filters())
        return FIGURES[endpoint](self.world, question)

    def rows(
        self,
        endpoint: str,
        domain_id: int,
        first: date | None = None,
        last: date | None = None,
        **filters: Any,
    ) -> list[Row]:
        """Give the same as rows: an answer that is a single object is one row."""
        value = self.answer(endpoint, domain_id, first, last, Filters(**filters))
        return value if isinstance(value, list) else [value]


def noon(today: date | None) -> datetime | None:
    """Give the time that a given day stands for when no time is given."""
    return None if today is None else datetime.combine(today, time(12), timezone.utc)


def _aware(now: datetime | None) -> datetime | None:
    """Take a time in UTC; one without a zone is taken to be UTC."""
    if now is None:
        return None
    return now.replace(tzinfo=timezone.utc) if now.tzinfo is None else now.astimezone(timezone.utc)
