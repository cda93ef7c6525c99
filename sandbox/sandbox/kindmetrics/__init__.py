"""The Kindmetrics API on loopback, with invented but consistent figures."""

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

    ``faults`` is the list of faults, ``log`` the requests that arrived, ``data`` the figures that
    a correct reader gets.

    ``now`` stops the clock at a time, ``today`` at noon of a day; without both it shows the real
    time. ``data.now`` changes it later. ``created`` sets the first day of some domains.
    ``known_hosts`` are the server's host names, without a port; without any it accepts every name.
    ``keep_requests`` limits the log. The fields are read once, when the account is set up.
    """

    token: str = "demo-token"  # noqa: S105 (only valid in the sandbox)
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
        """How often a client created a domain, which no tap may ever do."""
        return self._api.creations
