"""The Kindmetrics API on loopback, with made-up but coherent figures."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sandbox.faults import Faults
from sandbox.frame import Frame
from sandbox.kindmetrics.api import Api, ReferrersRoute, Rules
from sandbox.kindmetrics.data import Data, noon
from sandbox.kindmetrics.figures import Filters
from sandbox.kindmetrics.visits import World
from sandbox.requestlog import RequestLog

__all__ = ("Data", "Filters", "Kindmetrics")


@dataclass(kw_only=True, eq=False)
class Kindmetrics:
    """One account with its domains, served by ``app``.

    ``faults`` is the list of faults, ``log`` what arrived, ``data`` what should be answered.

    ``now`` stops the clock at a time, ``today`` at noon of a day; without both it is the real
    one, and ``data.now`` moves it later. ``created`` gives domains another first day.
    ``known_hosts`` are the names the server goes by (without a port); empty, it goes by any.
    ``keep_requests`` bounds the log. The fields are read once, when the account is set up.
    """

    token: str = "demo-token"  # noqa: S105 (opens nothing but the sandbox)
    domains: int = 4
    today: date | None = None
    now: datetime | None = None
    created: Mapping[int, date] = field(default_factory=dict)
    latency_ms: int = 0
    visitors_per_day: int = 60
    pages_per_day: int = 20
    seed: str = "sandbox"
    ended_domains: Iterable[int] = ()
    ended_account: bool = False
    referrers_route: ReferrersRoute = "server"
    has_me: bool = True
    known_hosts: Iterable[str] = ()
    keep_requests: int = 100_000
    app: Frame = field(init=False)
    faults: Faults = field(init=False)
    log: RequestLog = field(init=False)
    data: Data = field(init=False)

    def __post_init__(self) -> None:
        """Set up the account."""
        world = World(self.seed, self.visitors_per_day, self.pages_per_day)
        self.data = Data(
            world, domains=self.domains, now=self.now or noon(self.today), created=self.created
        )
        self._api = Api(self.data, self._rules())
        self.app = Frame(self._api.respond, latency_ms=self.latency_ms, keep=self.keep_requests)
        self.faults = self.app.faults
        self.log = self.app.log

    def _rules(self) -> Rules:
        return Rules(
            token=self.token,
            ended_domains=frozenset(self.ended_domains),
            ended_account=self.ended_account,
            referrers_route=self.referrers_route,
            has_me=self.has_me,
            known_hosts=frozenset(self.known_hosts),
        )

    @property
    def creations(self) -> int:
        """How often a client created a domain, which no tap ever may."""
        return self._api.creations
