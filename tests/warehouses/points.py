"""The points at which a run is held to be killed there: five for each tap.

A point is a request that the vendor does not respond to, and rows that must be in the database by
then. Nothing depends on speed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sandbox.faults import Fault
from sandbox.kissmetrics import RunRules
from typing_extensions import override

from tests.warehouses.accounts import (
    Account,
    KhorosAccount,
    KindmetricsAccount,
    KissmetricsAccount,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

FOREVER_MS = 3_600_000
FIRST, EARLY, MIDDLE, WORK, LAST = (
    "before the first row",
    "after the first rows",
    "in the middle of a stream",
    "between two streams, or while a job runs at the vendor",
    "before the last rows",
)


@dataclass(frozen=True)
class Point:
    """The ``nth`` request that matches ``path``, and the ``rows`` of ``stream`` loaded by then.

    With ``job``, the vendor's jobs do not end either; for Khoros, those of this export.
    """

    name: str
    path: str
    nth: int = 1
    stream: str = ""
    rows: int = 0
    job: str = ""

    def hold(self, account: Account) -> None:
        """Make the vendor stop at this point."""
        if self.job:
            _make_jobs_endless(account, self)
        else:
            stall = Fault("stall", wait_ms=FOREVER_MS, path=self.path, only=frozenset({self.nth}))
            account.faults.append(stall)

    def release(self, account: Account) -> None:
        """Make the vendor work as usual."""
        account.faults.clear()
        if isinstance(account, KissmetricsAccount):
            account.api.run_rules = RunRules()
        if isinstance(account, KhorosAccount):
            account.api.job_seconds = 0.0

    def is_reached(self, account: Account) -> bool:
        """Whether the request has arrived and, without a job, has no response yet."""
        requests = [r for r in account.log.requests if re.search(self.path, r.target)]
        return len(requests) >= self.nth and (
            bool(self.job) or requests[self.nth - 1].ended is None
        )


class EndlessJobs(Mapping[str, float]):
    """The seconds that an export's jobs run: without end from the point's request on.

    The jobs of discovery, before it, end immediately; otherwise no run would reach the point.
    """

    def __init__(self, point: Point, account: Account) -> None:
        self._point = point
        self._account = account

    @override
    def __getitem__(self, export: str) -> float:
        if export == self._point.job and self._point.is_reached(self._account):
            return FOREVER_MS
        raise KeyError(export)

    @override
    def __iter__(self) -> Iterator[str]:
        return iter((self._point.job,))

    @override
    def __len__(self) -> int:
        return 1


def _make_jobs_endless(account: Account, point: Point) -> None:
    if isinstance(account, KissmetricsAccount):
        account.api.run_rules = replace(account.api.run_rules, run_seconds=FOREVER_MS)
    if isinstance(account, KhorosAccount):
        account.api.job_seconds = EndlessJobs(point, account)


POINTS: Mapping[type[Account], tuple[Point, ...]] = {
    KindmetricsAccount: (
        Point(FIRST, "/api/domains$"),
        Point(EARLY, "/domains/1/countries.*from=2024-02-03", stream="countries", rows=5),
        Point(MIDDLE, "/domains/2/pages.*from=2024-02-02", stream="pages", rows=20),
        Point(WORK, "/domains/1/goals.*from=2024-02-01", stream="entry_pages", rows=20),
        Point(LAST, "/domains/2/sources.*from=2024-02-03", stream="sources", rows=15),
    ),
    KissmetricsAccount: (
        Point(FIRST, "/core/"),
        Point(EARLY, "/core/metrics", stream="events", rows=20),
        Point(MIDDLE, "/results", nth=6, stream="report_people", rows=10),
        Point(WORK, "/status", nth=3, stream="properties", rows=10, job="every"),
        Point(LAST, r"/core/reports\?", stream="report_results", rows=60),
    ),
    KhorosAccount: (
        Point(FIRST, "/api/public/teams", nth=2),  # discovery sends the first one
        Point(EARLY, r"report/combined\?startTime=17067", stream="author", rows=20),
        Point(MIDDLE, r"report/response\?startTime=17068", stream="response", rows=5),
        Point(WORK, r"incoming_post\?startTime=170", 1, "combined", 20, job="incoming_post"),
        Point(LAST, r"report/user\?startTime=17068", stream="team_performance", rows=10),
    ),
}
