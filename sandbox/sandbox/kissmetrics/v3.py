"""Version 3 over HTTP: lists, and queries that clients start, poll and cancel."""

import json
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.exchange import Refusal, Request, Response, json_response
from sandbox.kissmetrics.data import list_name
from sandbox.kissmetrics.errors import whole_number
from sandbox.kissmetrics.paging import REVALIDATE
from sandbox.kissmetrics.queries import Queries, Query, Run
from sandbox.kissmetrics.rules import ListName
from sandbox.kissmetrics.settings import Settings
from sandbox.kissmetrics.v3_data import PEOPLE_SEARCH, V3Data
from sandbox.ratelimit import RateLimit

DEFAULT_LIMIT = 50
OF_PRODUCTS = frozenset({"reports", "events", "properties"})
QUERY_TYPES = frozenset(
    {
        *("people_search", "people_count", "cohort", "funnel", "ab_test"),
        *("metric", "metric_over_time", "activity", "sql"),
    }
)
MISSING = "Not found."
FORBIDDEN = "You are not authorized to access this page."


class V3:
    """The vendor's query.kissmetrics.com/v3."""

    def __init__(self, settings: Settings, queries: Queries) -> None:
        """Serve this account under these rules."""
        self.data = V3Data(settings.data)
        self.over_budget = 0
        self._rate_limit = RateLimit()
        self._settings = settings
        self._queries = queries
        self._starts: Mapping[str, Callable[[Any], Query]] = {
            "/v3/queries": self._start_query,
            "/v3/queries/report": self._start_report,
            "/v3/queries/metric": self._start_metric,
        }

    def route(self, request: Request) -> Response:
        """Return the response of the vendor's server.

        Raises:
            Refusal: the vendor's server refuses the request.
        """
        self._check_access(request)
        self._check_budget()
        try:
            return self._respond(request)
        except KeyError:
            raise Refusal(404, MISSING) from None

    def _respond(self, request: Request) -> Response:
        path = request.path.rstrip("/")
        if request.method == "POST" and path in self._starts:
            return json_response({"id": self._starts[path](_body(request)).id})
        match request.method, *path.split("/")[2:]:
            case ["GET", "products"]:
                return self._list(request, "products")
            case ["GET", "products", product, name] if name in OF_PRODUCTS:
                return self._list(request, list_name(name), _integer(product))
            case ["GET", "queries", query_id]:
                return self._query(request, query_id)
            case ["DELETE", "queries", query_id] if self._queries.cancel(query_id):
                return json_response({"id": query_id, "cancelled": True})
            case _:
                raise Refusal(404, MISSING)

    def _check_access(self, request: Request) -> None:
        """Accept e-mail and password, or the API key with an empty password."""
        own = self._settings
        if request.basic_credentials not in {(own.email, own.password), (own.api_key, "")}:
            raise Refusal(401, "Unauthenticated.")

    def _check_budget(self) -> None:
        rules = self._settings.v3
        if rules.budget is None:
            return
        wait = self._rate_limit.wait(rules.budget, rules.budget_seconds, time.monotonic())
        if wait > 0:
            self.over_budget += 1
            header = (("retry-after", str(math.ceil(wait))),) if rules.retry_after else ()
            raise Refusal(429, "Too many requests.", header)

    def _list(self, request: Request, name: ListName, product_id: int | None = None) -> Response:
        rules = self._settings.v3
        numbers = self.data.numbers(name, product_id)
        offset, limit = self._place(request)
        page = numbers[offset : offset + limit]
        records = [self.data.record(name, number, fields=rules.fields) for number in page]
        if rules.key == "bare":
            return json_response(records, headers=(REVALIDATE,))
        # In the documents the key of properties is events.
        documented = "events" if name == "properties" else name
        key = {"data": "data", "named": name, "documented": documented}[rules.key]
        return json_response({key: records}, headers=(REVALIDATE,))

    def _place(self, request: Request) -> tuple[int, int]:
        limit = whole_number(request, "limit", DEFAULT_LIMIT, least=1)
        return whole_number(request, "offset", 0), min(limit, self._settings.v3.max_limit)

    def _query(self, request: Request, query_id: str) -> Response:
        """Return whether a query is completed, and then a page of its rows."""
        query = self._queries.get(query_id)
        if query is None:
            raise Refusal(404, MISSING)
        rules = self._settings.rules_for(query.run.report_id)
        offset, limit = self._place(request)
        if query.fails(rules):
            return json_response({"completed": False, "error": rules.error, "data": []})
        is_completed = query.poll(rules)
        rows = query.page(offset, limit) if is_completed else []
        return json_response({"completed": is_completed, "data": rows}, headers=(REVALIDATE,))

    def _start_query(self, body: Mapping[str, Any]) -> Query:
        product_id = _required_id(body, "product_id")
        query_type, parameters = body.get("query_type", "sql"), body.get("query_params")
        if query_type not in QUERY_TYPES:
            raise Refusal(400, "query_type is unknown.")
        if not isinstance(parameters, dict):
            raise Refusal(400, "query_params must be an object.")
        if query_type == "sql":
            self._check_sql(parameters)
        rows = self.data.query_rows(product_id, query_type)
        return self._started(Run(query_type, _text(parameters)), rows)

    def _check_sql(self, parameters: Mapping[str, Any]) -> None:
        if not self._settings.v3.has_sql:
            raise Refusal(403, FORBIDDEN)
        if not isinstance(parameters.get("statement"), str):
            raise Refusal(400, "query_params must have a statement.")

    def _start_report(self, body: Mapping[str, Any]) -> Query:
        report_id, date_range = _required_id(body, "report_id"), body.get("date_range")
        if date_range is None and self.data.report_type(report_id) != PEOPLE_SEARCH:
            raise Refusal(400, "date_range is required.")
        rows = self.data.report_rows(report_id, date_range)
        return self._started(Run(str(report_id), _text(date_range)), rows)

    def _start_metric(self, body: Mapping[str, Any]) -> Query:
        metric_id, date_range = _required_id(body, "metric_id"), body.get("date_range")
        rows = self.data.metric_rows(metric_id, date_range)
        return self._started(Run(f"metric {metric_id}", _text(date_range)), rows)

    def _started(self, run: Run, rows: Any) -> Query:
        query = self._queries.start(run, rows)
        query.as_objects = self._settings.rules_for(run.report_id).row_form != "array"
        query.shifted = True
        return query


def _body(request: Request) -> Mapping[str, Any]:
    try:
        body = json.loads(request.body)
    except ValueError:
        raise Refusal(400, "The body must be JSON.") from None
    if not isinstance(body, dict):
        raise Refusal(400, "The body must be an object.")
    return body


def _required_id(body: Mapping[str, Any], name: str) -> int:
    """Return an id of the body: an integer; one document has product_id as text."""
    value = body.get(name)
    if isinstance(value, str) and name == "product_id" and value.isdecimal():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refusal(400, f"{name} must be an integer.")
    return value


def _integer(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise Refusal(404, MISSING)
    return int(text)


def _text(value: Any) -> str:
    """Return parameters as text, so that starts with the same parameters can be counted."""
    return "" if value is None else json.dumps(value, sort_keys=True, separators=(",", ":"))
