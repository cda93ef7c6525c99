"""The Kindmetrics API on loopback, with made-up but coherent figures."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from sandbox.frame import Frame
from sandbox.kindmetrics.api import Api, ReferrersRoute, Rules
from sandbox.kindmetrics.data import Data, noon
from sandbox.kindmetrics.figures import Filters
from sandbox.kindmetrics.visits import World

__all__ = ("Data", "Filters", "Kindmetrics")


class Kindmetrics:
    """One account with its domains, served by ``app``.

    ``faults`` is the list of faults, ``log`` what arrived, ``data`` what should be answered.
    """

    def __init__(  # noqa: PLR0913 (every switch of the sandbox, all with defaults)
        self,
        *,
        token: str = "demo-token",  # noqa: S107 (opens nothing but the sandbox)
        domains: int = 4,
        today: date | None = None,
        now: datetime | None = None,
        created: Mapping[int, date] | None = None,
        latency_ms: int = 0,
        visitors_per_day: int = 60,
        pages_per_day: int = 20,
        seed: str = "sandbox",
        ended_domains: Iterable[int] = (),
        ended_account: bool = False,
        referrers_route: ReferrersRoute = "server",
        has_me: bool = True,
        known_hosts: Iterable[str] = (),
        keep_requests: int = 100_000,
    ) -> None:
        """Set up an account.

        ``now`` stops the clock at a time, ``today`` at noon of a day; without both it is the
        real one. ``known_hosts`` are the names the server goes by (without a port); empty, it
        goes by any. ``keep_requests`` bounds the log.
        """
        world = World(seed, visitors_per_day, pages_per_day)
        self.data = Data(world, domains=domains, now=now or noon(today), created=created)
        rules = Rules(
            token=token,
            ended_domains=frozenset(ended_domains),
            ended_account=ended_account,
            referrers_route=referrers_route,
            has_me=has_me,
            known_hosts=frozenset(known_hosts),
        )
        self._api = Api(self.data, rules)
        self.app = Frame(self._api.respond, latency_ms=latency_ms, keep=keep_requests)
        self.faults = self.app.faults
        self.log = self.app.log

    @property
    def creations(self) -> int:
        """How often a client created a domain, which no tap ever may."""
        return self._api.creations
