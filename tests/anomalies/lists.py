"""Anomalies of lists and results in pages: totals, links, statuses, equal rows, changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.anomalies.anomaly import Anomaly
from tests.anomalies.server import Received, Reply
from tests.anomalies.vendors import (
    CORE,
    EVENTS,
    PAGE,
    V3,
    page_of,
    records,
    v3_rows,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.anomalies.anomaly import Does

TOTALS = "Totals and links"
EQUAL, CHANGES = "Equal rows", "Lists that change while they are read"
COMPLETE = "all rows"
ALL_EVENTS = {"events": EVENTS}


def events(total: Callable[[Received, int], Any], link: str = "") -> Callable[[], Does]:
    """Return a list of 45 events with these totals, and links in the body or in the header."""

    def respond(request: Received) -> Reply | None:
        if request.path != "/core/events":
            return None
        rows = records(EVENTS)[request.offset : request.offset + PAGE]
        following = request.offset + len(rows)
        href = f"/core/events?limit={PAGE}&offset={following}"
        is_linked = bool(link) and following < EVENTS
        links = [{"rel": "next", "href": href}] if is_linked and link == "body" else []
        headers = {"Link": f'<{href}>; rel="next"'} if is_linked and link == "header" else {}
        found = total(request, len(rows))
        pagination = {} if found is None else {"pagination": {"total": found}}
        return Reply({"data": rows, "links": links, **pagination}, headers=headers)

    return lambda: respond


def at(part: str, *replies: Reply, then: Reply | None = None) -> Callable[[], Does]:
    """Return these replies to the first requests whose path ends with ``part``; then the last."""

    def make() -> Does:
        left = list(replies)

        def respond(request: Received) -> Reply | None:
            if not request.path.endswith(part):
                return None
            return left.pop(0) if left else then

        return respond

    return make


def always(part: str, reply: Reply) -> Callable[[], Does]:
    """Return one reply to all requests whose path ends with ``part``."""
    return at(part, then=reply)


def v3_query(rows: list[Any]) -> Callable[[], Does]:
    """Return a query of version 3 with these rows."""

    def respond(request: Received) -> Reply | None:
        is_poll = request.path.startswith("/v3/queries/") and request.method == "GET"
        return v3_rows(request, rows) if is_poll else None

    return lambda: respond


def shifting(passes: int, gone: int, *, new: bool) -> Callable[[], Does]:
    """Return a list that loses a record in front after the first page, in so many passes."""

    def make() -> Does:
        begun = [0]

        def respond(request: Received) -> Reply | None:
            if request.path != "/core/events":
                return None
            begun[0] += request.offset == 0
            rows = records(EVENTS)
            if request.offset and begun[0] <= passes:
                rows = [{"id": "new", "name": "new"}, *rows[:gone], *rows[gone + 1 :]]
                rows = rows if new else rows[1:]
            return page_of(request, rows)

        return respond

    return make


def _total(kind: str, link: str, what: str, total: Callable[[Received, int], Any]) -> Anomaly:
    return Anomaly(kind, CORE, what, COMPLETE, events(total, link), ["events"], rows=ALL_EVENTS)


LISTS = (
    _total(
        TOTALS,
        "body",
        "`next` links; the total is the number of records of its page",
        lambda _, size: size,
    ),
    _total(TOTALS, "header", "`next` links in the header; a total of 20 of 45", lambda *_: 20),
    _total(TOTALS, "body", "`next` links; a total of 0", lambda *_: 0),
    _total(TOTALS, "body", "`next` links; the total is null", lambda *_: None),
    _total(
        TOTALS,
        "",
        "no links; each total is the number of records of its page",
        lambda _, size: size,
    ),
    _total(TOTALS, "", "no links; the total is a text", lambda *_: "45"),
    _total(TOTALS, "", "neither links nor a total", lambda *_: None),
    Anomaly(
        TOTALS,
        CORE,
        "`next` links that end at 45 of 60 records",
        "the rows, then an error",
        events(lambda *_: 60, "body"),
        ["events"],
        code=1,
        is_reread=True,
        says=["promised 60 records and sent 45"],
    ),
    Anomaly(
        TOTALS,
        CORE,
        "a total of 5,000 digits",
        "an error",
        events(lambda *_: "9" * 5000),
        ["events"],
        code=1,
        says=["/core/events"],
    ),
    Anomaly(
        EQUAL,
        V3,
        "130 equal rows in pages of 50",
        COMPLETE,
        v3_query([["same"]] * 130),
        ["query_results"],
        rows={"query_results": 130},
    ),
    Anomaly(
        EQUAL,
        V3,
        "150 equal rows: three full pages",
        COMPLETE,
        v3_query([["same"]] * 150),
        ["query_results"],
        rows={"query_results": 150},
    ),
    Anomaly(
        EQUAL,
        V3,
        "101 equal rows: the last page has one",
        COMPLETE,
        v3_query([{"a": None}] * 101),
        ["query_results"],
        rows={"query_results": 101},
    ),
    Anomaly(
        CHANGES,
        CORE,
        "one record new in front, one gone behind; the total stays",
        "read again: all rows",
        shifting(1, 44, new=True),
        ["events"],
        rows=ALL_EVENTS,
        is_reread=True,
    ),
    Anomaly(
        CHANGES,
        CORE,
        "the same in two passes",
        "read again: all rows",
        shifting(2, 30, new=True),
        ["events"],
        rows=ALL_EVENTS,
        is_reread=True,
    ),
    Anomaly(
        CHANGES,
        CORE,
        "one record gone in front",
        "read again: all rows",
        shifting(1, 0, new=False),
        ["events"],
        rows=ALL_EVENTS,
        is_reread=True,
    ),
    Anomaly(
        CHANGES,
        CORE,
        "the same in each pass",
        "an error",
        shifting(9, 44, new=True),
        ["events"],
        code=1,
        is_reread=True,
        says=["changed during each of 3 passes"],
    ),
)
