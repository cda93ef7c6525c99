"""Anomalies of rows: names of columns, charsets, dates, numbers, and downloads that redirect."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tests.anomalies.anomaly import Anomaly
from tests.anomalies.lists import always
from tests.anomalies.server import Received, Reply
from tests.anomalies.vendors import CORE, KHOROS, KINDMETRICS, V3, page_of, records

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.anomalies.anomaly import Does
    from tests.processes import Ended

VALUES, REDIRECTS, ACCOUNTS = "Dates and numbers", "Redirects of a download", "Changes of accounts"
ONE_DAY = {"end_date": "2024-02-01"}


def events_with(**fields: Any) -> Callable[[], Does]:
    """Return a list of two events, the first one with these fields."""
    rows = [{**records(1)[0], **fields}, *records(2)[1:]]

    def respond(request: Received) -> Reply | None:
        return page_of(request, rows) if request.path == "/core/events" else None

    return lambda: respond


def is_null(field: str) -> Callable[[Ended], bool]:
    """Return a check that a field is null in all events."""
    return lambda ended: all(row.get(field) is None for row in ended.output.rows("events"))


def _value(what: str, field: str, value: Any) -> Anomaly:
    return Anomaly(
        VALUES,
        CORE,
        what,
        "null, and one warning that names stream and field",
        events_with(**{field: value}),
        ["events"],
        rows={"events": 2},
        says=["events", field],
        check=is_null(field),
    )


def redirecting(*places: str) -> Callable[[], Does]:
    """Return a download that redirects to these places, one after the other, then has the body."""
    following = dict(pairwise(places))

    def respond(request: Received) -> Reply | None:
        if request.path.endswith("/download"):
            return Reply(b"", 307, {"Location": places[0]})
        here = next((one for one in places if one.partition("?")[0] == request.path), None)
        if here is None:
            return None
        if here in following:
            return Reply(b"", 307, {"Location": following[here]})
        return Reply([{"AUTHOR_ID": "1"}])

    return lambda: respond


def accounts(*updated: Any) -> Callable[[], Does]:
    """Return accounts with these ``updated_at``; without one where it is ``...``."""
    rows: list[dict[str, Any]] = [
        {"id": f"a{place}", **({} if when is ... else {"updated_at": when})}
        for place, when in enumerate(updated)
    ]

    def respond(request: Received) -> Reply | None:
        return page_of(request, rows) if request.path == "/core/accounts" else None

    return lambda: respond


def _accounts(what: str, *updated: Any, says: Sequence[str] = ()) -> Anomaly:
    return Anomaly(
        ACCOUNTS,
        CORE,
        what,
        "all rows; the other streams too",
        accounts(*updated),
        ["accounts", "events"],
        rows={"accounts": len(updated), "events": 45},
        says=says,
    )


def _redirect(what: str, *places: str, code: int = 0, says: Sequence[str] = ()) -> Anomaly:
    return Anomaly(
        REDIRECTS,
        KHOROS,
        what,
        "an error" if code else "followed, without credentials",
        redirecting(*places),
        ["author"],
        ONE_DAY,
        code=code,
        rows={"author": 1 - code},
        says=says,
    )


NULL_AND_WARNING = "null, and one warning that names stream and field"
ROWS = (
    _value("a date-time `0000-00-00`", "first_used_at", "0000-00-00"),
    _value("a date-time on 30 February", "first_used_at", "2024-02-30T00:00:00Z"),
    _value("a date-time in the year 10000", "last_used_at", "10000-01-01T00:00:00Z"),
    _value("a date-time in the year 0", "last_used_at", "0000-01-01T00:00:00Z"),
    _value("a date-time at 24:00", "last_sent_at", "2024-01-01T24:00:00Z"),
    _value("an empty date-time", "last_sent_at", ""),
    _value("an integer of 30 digits", "total", 10**29),
    _value("an integer of 30 digits as text", "total", "9" * 30),
    _value("an integer of 5,000 digits as text", "total", "9" * 5000),
    Anomaly(
        VALUES,
        KINDMETRICS,
        "an integer beyond 64 bits",
        NULL_AND_WARNING,
        always("/goals", Reply([{"name": "a", "kind": "Path", "conversions": 2**63}])),
        ["goals"],
        ONE_DAY,
        rows={"goals": 1},
        says=["goals", "conversions"],
    ),
    Anomaly(
        VALUES,
        V3,
        "a key beyond 64 bits",
        "an error that names stream and field",
        always("/v3/products", Reply({"data": [{"id": 2**64, "name": "Shop"}]})),
        ["products"],
        code=1,
        rows={"products": 0},
        says=["products"],
    ),
    _accounts("one account without `updated_at`", ..., "2024-01-01T00:00:00Z"),
    _accounts("all accounts without it", ..., ...),
    _accounts("`updated_at` is null, and a number", None, 1_700_000_000),
    _accounts(
        "`updated_at` is no date",
        "yesterday",
        "2024-01-01T00:00:00Z",
        says=["accounts", "updated_at"],
    ),
    _redirect("a relative place", "/signed/1"),
    _redirect("three places, one after the other", "/signed/1?a=b", "/signed/2", "/signed/3"),
    _redirect("five places", *(f"/signed/{number}" for number in range(5))),
    _redirect(
        "six places", *(f"/signed/{number}" for number in range(6)), code=1, says=["redirect"]
    ),
    _redirect("the same place again", "/signed/1", "/signed/1", code=1, says=["redirect"]),
)
