"""Anomalies of time zones, of days that do not exist, and of the vendor's jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.anomalies.anomaly import Anomaly
from tests.anomalies.days import FIRST, OTHERS, on
from tests.anomalies.lists import COMPLETE, at
from tests.anomalies.vendors import CORE, KHOROS, PRODUCT, envelope, page_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.anomalies.anomaly import Does
    from tests.anomalies.server import Received, Reply
    from tests.processes import Ended

ZONES, JOBS = "Time zones and days", "Jobs"


def in_zone(zone: str) -> Callable[[], Does]:
    """Return a product in this zone."""

    def respond(request: Received) -> Reply | None:
        product = {**PRODUCT, "timezone": zone}
        return page_of(request, [product]) if request.path == "/core/products" else None

    return lambda: respond


def begins(*times: str) -> Callable[[Ended], bool]:
    """Return a check of the moments at which the windows of reports begin."""

    def check(ended: Ended) -> bool:
        rows = ended.output.rows("report_results")
        return [*dict.fromkeys(row["start_date"][:16] for row in rows)] == [*times]

    return check


def _zone(
    what: str,
    must: str,
    zone: str,
    days: tuple[str, str],
    rows: int,
    *times: str,
    says: tuple[str, ...] = (),
    window: int = 1,
) -> Anomaly:
    first, last = days
    settings = {"start_date": first, "end_date": last, "window_days": window}
    return Anomaly(
        ZONES,
        CORE,
        what,
        must,
        in_zone(zone),
        ["report_results"],
        settings,
        rows={"report_results": rows},
        says=says,
        check=begins(*times),
    )


def job(result: Any) -> Callable[[], Does]:
    """Return a status of the jobs of one day."""
    return on(("2024-02-03",), envelope(result), "/status")


def _job(what: str, must: str, result: Any, *says: str, rows: int = 8) -> Anomaly:
    return Anomaly(
        JOBS,
        KHOROS,
        what,
        must,
        job(result),
        ["author"],
        {"poll_timeout": 1},
        code=1,
        rows={"author": rows},
        says=says,
    )


ZONES_AND_JOBS = (
    _job(
        "a job that fails each time",
        OTHERS,
        {"jobInfo": {}, "result": {"runnerState": "CLOSED", "detail": "FAILED"}},
        "2024-02-03",
        "FAILED",
    ),
    _job(
        "a job that is terminated, in a list",
        OTHERS,
        [{"jobInfo": {}, "result": {"runnerState": "CLOSED", "detail": "TERMINATED"}}],
        "2024-02-03",
        "TERMINATED",
    ),
    _job(
        "a status with the text of an exception",
        OTHERS,
        "x.HydrationException: Too many buckets (745) requested",
        "2024-02-03",
        "Too many buckets",
    ),
    Anomaly(
        JOBS,
        KHOROS,
        "a status with the text of an exception, once",
        COMPLETE,
        at("/status", envelope("java.lang.IllegalStateException: not yet")),
        ["author"],
        rows={"author": 10},
        says=["not yet; starting it again"],
    ),
    _zone(
        "a day that did not exist (`Pacific/Apia`, 2011-12-30)",
        "the other days",
        "Pacific/Apia",
        ("2011-12-29", "2011-12-31"),
        4,
        "2011-12-29T10:00",
        "2011-12-30T10:00",
    ),
    _zone(
        "the same in windows of three days",
        "windows of the days that existed",
        "Pacific/Apia",
        ("2011-12-28", "2012-01-02"),
        4,
        "2011-12-28T10:00",
        "2011-12-30T10:00",
        window=3,
    ),
    _zone(
        "a day that did not exist (`Pacific/Kwajalein`, 1993-08-21)",
        "the other days",
        "Pacific/Kwajalein",
        ("1993-08-20", "1993-08-22"),
        4,
        "1993-08-20T12:00",
        "1993-08-21T12:00",
    ),
    _zone(
        "a midnight that did not exist (`America/Sao_Paulo`)",
        COMPLETE,
        "America/Sao_Paulo",
        ("2018-11-03", "2018-11-04"),
        4,
        "2018-11-03T03:00",
        "2018-11-04T03:00",
    ),
    _zone(
        "Rails' name of a zone (`Eastern Time (US & Canada)`)",
        "days of that zone",
        "Eastern Time (US & Canada)",
        (FIRST, FIRST),
        2,
        "2024-02-01T05:00",
    ),
    _zone(
        "Rails' name with its offset (`(GMT+05:30) Chennai`)",
        "days of that zone",
        "(GMT+05:30) Chennai",
        (FIRST, FIRST),
        2,
        "2024-01-31T18:30",
    ),
    _zone(
        "an unknown zone (`Atlantis Time`)",
        "days in UTC, and a warning",
        "Atlantis Time",
        (FIRST, FIRST),
        2,
        "2024-02-01T00:00",
        says=("unknown timezone", "Atlantis"),
    ),
    _zone(
        "the name of a folder (`../../etc`)",
        "days in UTC, and a warning",
        "../../etc",
        (FIRST, FIRST),
        2,
        "2024-02-01T00:00",
        says=("unknown timezone",),
    ),
)
