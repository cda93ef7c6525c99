"""Anomalies of days: refused windows and partitions, zones, days that do not exist."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.anomalies.anomaly import Anomaly
from tests.anomalies.lists import COMPLETE, always
from tests.anomalies.server import Received, Reply
from tests.anomalies.vendors import (
    CORE,
    KHOROS,
    KINDMETRICS,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.anomalies.anomaly import Does
    from tests.processes import Ended

REFUSED = "Refused days"
OTHERS = "the other days, then an error"
FIRST, LAST = "2024-02-01", "2024-02-05"


def on(days: tuple[str, ...], reply: Reply, part: str = "") -> Callable[[], Does]:
    """Return a reply to each request about one of these days."""

    def respond(request: Received) -> Reply | None:
        begin = request.parameters.get("from", "")
        if request.path.endswith("/run"):
            begin = str(json.loads(request.body)["start_date"])[:10]
        if request.path.endswith(("/status", "/download")):
            begin = request.path.split("/")[-2]
        wanted = begin in days and (not part or request.path.endswith(part))
        return reply if wanted else None

    return lambda: respond


def _report(what: str, make: Callable[[], Does], code: int, rows: int, *says: str) -> Anomaly:
    must = OTHERS if code else COMPLETE
    return Anomaly(
        REFUSED,
        CORE,
        what,
        must,
        make,
        ["report_results"],
        code=code,
        rows={"report_results": rows},
        says=says,
    )


def _pages(
    what: str, must: str, make: Callable[[], Does], code: int, rows: int, *says: str, **more: Any
) -> Anomaly:
    return Anomaly(
        REFUSED,
        KINDMETRICS,
        what,
        must,
        make,
        ["pages"],
        code=code,
        rows={"pages": rows},
        says=says,
        **more,
    )


def _is_one_line(word: str) -> Callable[[Ended], bool]:
    return lambda ended: sum(word in line for line in ended.warnings) == 1


def _without_bookmark_after(day: str) -> Callable[[Ended], bool]:
    return lambda ended: f'_value": "{day}' not in json.dumps(ended.output.state)


UNPROCESSABLE, NO_PLAN = Reply({}, 422), Reply({"message": "Forbidden"}, 403)
GONE = Reply({"message": "Not found"}, 404)
OLD = (FIRST, "2024-02-02", "2024-02-03", "2024-02-04")
ALL = (*OLD, LAST)
DAYS = (
    _report(
        "one day of a report: 422", on(("2024-02-02",), UNPROCESSABLE), 1, 8, "2024-02-02", "422"
    ),
    _report("two days: 422", on(("2024-02-02", "2024-02-04"), UNPROCESSABLE), 1, 6, "2024-02-04"),
    _report("the first and the last day: 400", on((FIRST, LAST), Reply({}, 400)), 1, 6, FIRST),
    _report("one day: 404", on(("2024-02-03",), GONE), 1, 8, "2024-02-03", "404"),
    _report(
        "the query of one day fails",
        on(("q-2024-02-02",), Reply({"error": "x"}), "/status"),
        1,
        8,
        "2024-02-02",
    ),
    _pages(
        "one day: 422",
        OTHERS,
        on(("2024-02-03",), UNPROCESSABLE),
        1,
        8,
        "2024-02-03",
        check=_without_bookmark_after("2024-02-03"),
    ),
    _pages("the first day: 403", OTHERS, on((FIRST,), NO_PLAN), 1, 8, FIRST),
    _pages("the last day: 403", OTHERS, on((LAST,), NO_PLAN), 1, 8, LAST),
    _pages(
        "the first three days: 403; the last one: 200",
        "the last day, then an error; the next run reads the rest",
        on(OLD[:3], NO_PLAN),
        1,
        2,
        "3 windows in a row failed",
    ),
    _pages(
        "all days but the last one: 404",
        "the last day, then an error",
        on(OLD, GONE),
        1,
        2,
        "3 windows in a row failed",
    ),
    _pages(
        "all days: 403 (no plan)",
        "one warning; exit code 0",
        on(ALL, NO_PLAN),
        0,
        0,
        "skipped",
        "no active plan",
        check=_is_one_line("no active plan"),
    ),
    Anomaly(
        REFUSED,
        KINDMETRICS,
        "two streams, all days: 403",
        "one warning for both; exit code 0",
        on(ALL, NO_PLAN),
        ["pages", "goals"],
        says=["skipped"],
        check=_is_one_line("no active plan"),
    ),
    Anomaly(
        REFUSED,
        KINDMETRICS,
        "an account without a domain",
        "an error",
        always("/api/domains", Reply([])),
        ["pages"],
        code=1,
        says=["api_token", "domain"],
    ),
    Anomaly(
        REFUSED,
        KHOROS,
        "the starts of an export: 403",
        "one warning; exit code 0",
        always("/author", NO_PLAN),
        ["author"],
        says=["HTTP 403"],
    ),
)
