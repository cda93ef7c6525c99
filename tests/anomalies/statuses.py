"""Anomalies of the statuses of responses."""

from __future__ import annotations

from tests.anomalies.anomaly import Anomaly
from tests.anomalies.lists import COMPLETE, always, at
from tests.anomalies.server import Reply
from tests.anomalies.vendors import CORE, KHOROS, KINDMETRICS, REPORT, V3, records

KIND = "Statuses"
RESULTS = {"report_results": 10}


STATUSES = (
    Anomaly(
        KIND,
        CORE,
        "results: 202 with an empty list twice, then 200",
        COMPLETE,
        at("/results", Reply({"data": []}, 202), Reply({"data": []}, 202)),
        ["report_results"],
        rows=RESULTS,
    ),
    Anomaly(
        KIND,
        CORE,
        "results: always 204",
        "an error",
        always("/results", Reply(status=204)),
        ["report_results"],
        code=1,
        says=["204"],
    ),
    Anomaly(
        KIND,
        CORE,
        "a list: always 206, with a part of the records",
        "an error",
        always("/core/events", Reply({"data": records(6)}, 206)),
        ["events"],
        code=1,
        rows={"events": 0},
        says=["206"],
    ),
    Anomaly(
        KIND,
        CORE,
        "a report's details: 203 once",
        COMPLETE,
        at("/core/reports/r1", Reply({"data": {}}, 203), then=Reply({"data": REPORT})),
        ["report_results"],
        {"reports": [{"id": "r1"}]},
        rows=RESULTS,
    ),
    Anomaly(
        KIND,
        V3,
        "results: 202 with an empty list once",
        COMPLETE,
        at("/v3/queries/3f1c-1", Reply({"completed": True, "data": []}, 202)),
        ["query_results"],
        rows={"query_results": 130},
    ),
    Anomaly(
        KIND,
        KINDMETRICS,
        "a day: 206 with a part of the rows once",
        COMPLETE,
        at("/pages", Reply([], 206)),
        ["pages"],
        rows={"pages": 10},
    ),
    Anomaly(
        KIND,
        KINDMETRICS,
        "a day: always 202",
        "an error",
        always("/pages", Reply([], 202)),
        ["pages"],
        code=1,
        rows={"pages": 0},
        says=["202"],
    ),
    Anomaly(
        KIND,
        KHOROS,
        "a download: 206 once",
        COMPLETE,
        at("/download", Reply([], 206)),
        ["author"],
        rows={"author": 10},
    ),
    Anomaly(
        KIND,
        KHOROS,
        "a download: always 204",
        "the other exports, then an error",
        always("/download", Reply(status=204)),
        ["author"],
        code=1,
        says=["204"],
    ),
)
