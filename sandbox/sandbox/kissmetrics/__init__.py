"""The Kissmetrics API on loopback, with made-up but coherent records and rows."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from typing_extensions import override

from sandbox.exchange import Request, Response
from sandbox.faults import Fault, Faults
from sandbox.frame import Frame
from sandbox.kissmetrics.core import Core
from sandbox.kissmetrics.data import Data
from sandbox.kissmetrics.errors import NOT_FOUND, Refusal, refuse_core
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
from sandbox.kissmetrics.setting import Setting
from sandbox.kissmetrics.v2 import V2
from sandbox.kissmetrics.v3 import V3
from sandbox.kissmetrics.v3_data import V3Data
from sandbox.misbehaviour import Vendor
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


@dataclass(kw_only=True, eq=False)
class Kissmetrics(Setting):
    """One customer's accounts, with all settings of ``Setting`` as keywords and attributes.

    ``core`` is api.kissmetrics.com, ``query`` is query.kissmetrics.com with both /v2 and /v3;
    ``app`` is everything under one address. They share ``faults`` and ``log``, where the path
    tells which one was asked. ``data`` and ``v3_data`` are what should be answered.
    ``keep_requests`` bounds the log.
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
        self.faults = _SharedFaults()
        self.log = RequestLog(self.keep_requests)
        self.app = self._frame(self._respond)
        self.core = self._frame(self._respond_core)
        self.query = self._frame(self._respond_query)

    @contextmanager
    def serving(self) -> Iterator[Addresses]:
        """Serve ``core`` and ``query``, each on a port of its own, until the block ends.

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
        """How often results were asked for before the query was completed."""
        return self._queries.early_reads

    @property
    def cancelled(self) -> list[str]:
        """The queries that were cancelled, oldest first."""
        return self._queries.cancelled

    @property
    def over_budget(self) -> int:
        """How often v3 had to answer 429."""
        return self._v3.budget.refused

    def forget_queries(self) -> None:
        """Forget all queries, as a server does after a while: they are 404 then."""
        self._queries.forget()

    def delete_report(self, report_id: str) -> None:
        """Delete a report; queries that it started stay.

        Raises:
            KeyError: there never was such a report.
        """
        number = number_of("reports", report_id)
        if number is None:
            raise KeyError(report_id)
        self.data.catalog.deleted_reports.add(number)

    def _frame(self, vendor: Vendor) -> Frame:
        frame = Frame(vendor, latency_ms=self.latency_ms)
        frame.faults, frame.log = self.faults, self.log
        return frame

    async def _respond(self, request: Request) -> Response:
        """Response by the path, since the servers have none in common."""
        self.note_address(request, "core", "query")
        is_query = request.path.startswith(("/v2/", "/v3/"))
        return await (self._query_answer(request) if is_query else self._core.respond(request))

    async def _respond_core(self, request: Request) -> Response:
        self.note_address(request, "core")
        return await self._core.respond(request)

    async def _respond_query(self, request: Request) -> Response:
        self.note_address(request, "query")
        return await self._query_answer(request)

    async def _query_answer(self, request: Request) -> Response:
        if request.path.startswith("/v3/"):
            return await self._v3.respond(request)
        if request.path.startswith("/v2/"):
            return await self._v2.respond(request)
        return refuse_core(Refusal(404, NOT_FOUND))


class _SharedFaults(Faults):
    """Faults for servers in several threads."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    @override
    def strike(self, request: Request) -> Fault | None:
        with self._lock:
            return super().strike(request)
