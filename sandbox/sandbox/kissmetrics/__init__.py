"""The Kissmetrics API on loopback, with invented but consistent records and rows."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from typing_extensions import override

from sandbox.exchange import Refusal, Request, Response
from sandbox.faults import Faults
from sandbox.frame import Frame
from sandbox.kissmetrics.core import Core
from sandbox.kissmetrics.data import Data
from sandbox.kissmetrics.errors import not_found, refuse_core, refuse_v2, refuse_v3
from sandbox.kissmetrics.ids import number_of
from sandbox.kissmetrics.links import Addresses
from sandbox.kissmetrics.queries import Queries, Run
from sandbox.kissmetrics.rules import (
    FieldRules,
    LinkRules,
    PageRules,
    RunRules,
    Sizes,
    V3Rules,
)
from sandbox.kissmetrics.settings import Settings
from sandbox.kissmetrics.v2 import V2
from sandbox.kissmetrics.v3 import V3
from sandbox.kissmetrics.v3_data import V3Data
from sandbox.requestlog import RequestLog
from sandbox.server import running

__all__ = (
    "Addresses",
    "Data",
    "FieldRules",
    "Kissmetrics",
    "LinkRules",
    "PageRules",
    "Run",
    "RunRules",
    "Sizes",
    "V3Data",
    "V3Rules",
)
Part = tuple[Callable[[Request], Response], Callable[[Refusal], Response]]


@dataclass(kw_only=True, eq=False)
class Kissmetrics(Settings):
    """One customer's accounts; keywords and attributes are those of ``Settings``.

    ``core`` is api.kissmetrics.com, ``query`` is query.kissmetrics.com with /v2 and /v3, ``app``
    is both at one address. They share ``faults`` and ``log``, in which the path distinguishes
    them. ``data`` and ``v3_data`` are the expected records and rows. ``keep_requests`` limits
    the log.
    """

    latency_ms: int = 0
    keep_requests: int = 100_000
    app: Frame = field(init=False, repr=False)
    core: Frame = field(init=False, repr=False)
    query: Frame = field(init=False, repr=False)
    faults: Faults = field(init=False, repr=False)
    log: RequestLog = field(init=False, repr=False)
    v3_data: V3Data = field(init=False, repr=False)

    @override
    def __post_init__(self) -> None:
        """Set up the account and its servers."""
        super().__post_init__()
        self._queries = Queries(self.sizes.seed)
        self._core = Core(self)
        self._v2 = V2(self, self._queries)
        self._v3 = V3(self, self._queries)
        self.v3_data = self._v3.data
        self.faults = Faults()
        self.log = RequestLog(self.keep_requests)
        self.app = self._frame("core", "query")
        self.core = self._frame("core")
        self.query = self._frame("query")

    @contextmanager
    def serving(self) -> Iterator[Addresses]:
        """Serve ``core`` and ``query``, each on its own port, until the block ends.

        v3 is at ``query`` followed by ``/v3``.
        """
        with running(self.core) as core, running(self.query) as query:
            before = (self.core_url, self.query_url)
            self.core_url, self.query_url = before[0] or core.url, before[1] or query.url
            try:
                yield Addresses(core.url, query.url)
            finally:
                self.core_url, self.query_url = before

    @property
    def runs(self) -> Counter[Run]:
        """How often each report and window was started."""
        return self._queries.runs

    @property
    def early_reads(self) -> int:
        """How often results were requested before the query was completed."""
        return self._queries.early_reads

    @property
    def cancelled(self) -> list[str]:
        """The cancelled queries, oldest first."""
        return self._queries.cancelled

    @property
    def over_budget(self) -> int:
        """How often v3 refused a request with 429."""
        return self._v3.over_budget

    def forget_queries(self) -> None:
        """Remove all queries, as a server does after some time; requests for them are then 404."""
        self._queries.forget()

    def delete_report(self, report_id: str) -> None:
        """Delete a report; queries that were started from it remain.

        Raises:
            KeyError: there was never such a report.
        """
        number = number_of("reports", report_id)
        if number is None:
            raise KeyError(report_id)
        self.data.catalog.deleted_reports.add(number)

    def _frame(self, *hosts: str) -> Frame:
        """Return an app that serves these hosts: ``core``, ``query``."""

        async def respond(request: Request) -> Response:
            self.note_address(request, *hosts)
            route, refuse = self._part(request.path, hosts)
            try:
                return self.redirect(request) or route(request)
            except Refusal as refusal:
                return refuse(refusal)

        frame = Frame(respond, latency_ms=self.latency_ms)
        frame.faults, frame.log = self.faults, self.log
        return frame

    def _part(self, path: str, hosts: tuple[str, ...]) -> Part:
        """Return the part of the API that serves a path, and its form of errors."""
        if "query" in hosts and path.startswith("/v3/"):
            return self._v3.route, refuse_v3
        if "query" in hosts and path.startswith("/v2/"):
            return self._v2.route, refuse_v2
        return (self._core.route if "core" in hosts else not_found), refuse_core
