"""Version 2 of queries over HTTP: run a report, poll its status, read its results."""

import csv
import io
import json
from typing import Any

from sandbox.exchange import Refusal, Request, Response, json_response
from sandbox.kissmetrics.errors import NOT_FOUND, check_access
from sandbox.kissmetrics.paging import (
    REVALIDATE,
    Link,
    Listing,
    link,
    link_header,
    moved,
    page_response,
)
from sandbox.kissmetrics.people import LABELS, seconds_of
from sandbox.kissmetrics.queries import Queries, Query, Run
from sandbox.kissmetrics.rules import RunRules
from sandbox.kissmetrics.settings import Settings

DEFAULT_LIMIT = 50
UNSUPPORTED = "Error initializing report: Only people search reports supported at this time."
RUNNABLE = frozenset({"people_search_v2", "people_search_v3"})


class V2:
    """The vendor's query.kissmetrics.com/v2."""

    def __init__(self, settings: Settings, queries: Queries) -> None:
        """Serve this account under these rules."""
        self._settings = settings
        self._queries = queries

    def route(self, request: Request) -> Response:
        """Return the response of the vendor's server.

        Raises:
            Refusal: the vendor's server refuses the request.
        """
        check_access(request, self._settings.token)
        base = self._settings.addresses.query
        match request.method, *request.path.rstrip("/").split("/")[1:]:
            case ["POST", "v2", "products", product_id, "reports", report_id, "run"]:
                return self._run(request, base, product_id, report_id)
            case ["GET", "v2", "queries", query_id, "status"]:
                return self._status(base, self._query(query_id))
            case ["GET", "v2", "queries", query_id, "results"]:
                return self._results(request, base, self._query(query_id))
            case ["GET", "v2", "queries", query_id, "export"]:
                return self._export(self._query(query_id))
            case _:
                raise Refusal(404, NOT_FOUND)

    def _query(self, query_id: str) -> Query:
        query = self._queries.get(query_id)
        if query is None:
            raise Refusal(404, NOT_FOUND)
        return query

    def _run(self, request: Request, base: str, product_id: str, report_id: str) -> Response:
        catalog = self._settings.data.catalog
        report = catalog.number("reports", report_id)
        product = catalog.number("products", product_id)
        if report is None or product != catalog.parent("reports", report):
            raise Refusal(404, NOT_FOUND)
        rules = self._settings.rules_for(report_id)
        run = Run(report_id, *window_of(request))
        query = self._started(run, report, catalog.report_type(report), rules)
        href = f"{base}/v2/queries/{query.id}/status"
        step = link("query-status", "Status", moved(href, rules.link_host))
        body = {
            "meta": {"status": 202},
            "data": {"message": "success"},
            "links": [step] if rules.links else [],
        }
        return json_response(body, 202, (("cache-control", "no-cache"), *_location(href, rules)))

    def _started(self, run: Run, report: int, report_type: str, rules: RunRules) -> Query:
        is_v3 = report_type == "people_search_v3"
        if report_type not in RUNNABLE or (is_v3 and rules.people_search_v3 == "refused"):
            raise Refusal(400, UNSUPPORTED)
        data = self._settings.data
        window = (run.start, run.end)
        if is_v3 and rules.people_search_v3 == "saved_window":
            window = data.saved_window(run.report_id)
        begin, last = (seconds_of(text) or 0 for text in window)
        query = self._queries.start(run, data.window(report, begin, last))
        query.shifted = is_v3
        query.as_objects = rules.row_form == "object" if rules.row_form else is_v3
        return query

    def _status(self, base: str, query: Query) -> Response:
        rules = self._settings.rules_for(query.run.report_id)
        href = f"{base}/v2/queries/{query.id}"
        own = link("self", "Self", f"{href}/status")
        if query.fails(rules):
            return _unfinished(query, rules, own, {"error": rules.error})
        if not query.poll(rules):
            return _unfinished(query, rules, own, {})
        step = link("query-results", "Results", moved(f"{href}/results", rules.link_host))
        body = {
            "meta": {"status": 201},
            "data": {"completed": True, "progress": 1.0},
            "links": [own, step] if rules.links else [own],
        }
        return json_response(body, 201, (REVALIDATE, *_location(f"{href}/results", rules)))

    def _results(self, request: Request, base: str, query: Query) -> Response:
        """Return a page of rows, which is empty before the query is completed."""
        rules = self._settings.rules_for(query.run.report_id)
        has_ended = query.has_ended(rules)
        if not has_ended:
            self._queries.early_reads += 1
        href = f"{base}/v2/queries/{query.id}"
        listing = Listing(
            url=f"{href}/results",
            count=len(query.rows) if has_ended else 0,
            cut=query.page if has_ended else lambda _offset, _limit: [],
            default_limit=DEFAULT_LIMIT,
            always_ends=False,
            more_links=(link("export", "Export", f"{href}/export"),),
            extra=self._columns(query, rules),
        )
        return page_response(request, listing, rules.pages)

    def _columns(self, query: Query, rules: RunRules) -> dict[str, list[Any]]:
        """Describe the columns: one entry for each cell of the array."""
        if rules.columns is None:
            return {}
        columns = columns_of(self._settings.data.catalog.sizes.columns)
        if query.as_objects:
            columns = columns[2:]
        if rules.columns == "labels":
            return {"columns": [column["display_name"] for column in columns]}
        return {"columns": columns}

    def _export(self, query: Query) -> Response:
        """Return all rows as CSV; only the address of the export was observed."""
        has_ended = query.has_ended(self._settings.rules_for(query.run.report_id))
        text = io.StringIO()
        writer = csv.writer(text)
        columns = columns_of(self._settings.data.catalog.sizes.columns)
        writer.writerow(column["display_name"] for column in columns)
        writer.writerows(query.rows.page(0, len(query.rows)) if has_ended else [])
        return Response(body=text.getvalue().encode(), content_type="text/csv; charset=utf-8")


def window_of(request: Request) -> tuple[str, str]:
    """Return the requested window, as it was sent.

    Raises:
        Refusal: 400 if the Content-Type or the body is not JSON, or if its dates are missing, are
            not ISO 8601 with an offset, or end before they begin.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Refusal(400, "the Content-Type must be application/json")
    try:
        body = json.loads(request.body)
    except ValueError:
        raise Refusal(400, "the body must be JSON") from None
    texts = [
        body.get(name) if isinstance(body, dict) else None for name in ("start_date", "end_date")
    ]
    for name, text in zip(("start_date", "end_date"), texts, strict=True):
        if not isinstance(text, str) or seconds_of(text) is None:
            raise Refusal(400, f":{name} must be an ISO 8601 date with an offset")
    start, end = (str(text) for text in texts)
    if (seconds_of(start) or 0) > (seconds_of(end) or 0):
        raise Refusal(400, ":end_date must not be before :start_date")
    return start, end


def columns_of(width: int) -> list[dict[str, str]]:
    """Describe the cells of a row as the first API did, which has one label twice."""
    internal = [("KMID", "internal"), ("Person", "internal")]
    return [
        {
            "display_name": label,
            "type": "internal" if option == "internal" else "event",
            "return_option": option,
            "display_return_option": option.replace("_", " ").capitalize(),
        }
        for label, option in [*internal, *LABELS[:width]]
    ]


def _location(href: str, rules: RunRules) -> tuple[tuple[str, str], ...]:
    if not rules.location_header:
        return ()
    return (("location", moved(href, rules.location_host)),)


def _unfinished(query: Query, rules: RunRules, own: Link, error: dict[str, Any]) -> Response:
    """Return the status of a query that is not completed, or that failed."""
    data = {"completed": False, "progress": query.progress(rules)}
    body: dict[str, Any] = {"meta": {"status": 200}, "data": data, "links": [own]}
    (body if rules.error_at_top else data).update(error)
    return json_response(body, headers=(REVALIDATE, link_header([own])))
