"""Both hosts in one server with canned responses, for what the sandbox never sends."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.exchange import Request, Response, json_response
from sandbox.frame import Frame
from sandbox.server import running
from tap_kissmetrics.tap import TapKissmetrics
from tap_kit import SyncFailed

from tests.kissmetrics.site import TOKEN, discovered_with
from tests.processes import collected
from tests.singer import Output

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

    from tests.singer import State


PRODUCT = {"id": "p1", "name": "Shop", "timezone": "UTC"}
REPORT = {"id": "r1", "name": "Who", "product_id": "p1", "report_type": "people_search_v2"}
RUN = "/v2/products/p1/reports/r1/run"
STATUS, RESULTS = "/v2/queries/q1/status", "/v2/queries/q1/results"
_ANY_QUERY = re.compile(r"/queries/q\d+/")
USUAL: dict[str, Any] = {
    "/core/products": [PRODUCT],
    "/core/reports": [REPORT],
    RUN: json_response({}, 202, (("location", STATUS),)),
    STATUS: json_response({"completed": True}, 201, (("location", RESULTS),)),
}


class Canned:
    """Within ``with``, a server that responds to a path with its canned value, else with ``[]``.

    It cuts a list into pages, calls a function with the request, and sends a ``Response`` as it is.
    """

    def __init__(self, responses: Mapping[str, Any]) -> None:
        self._responses = {**USUAL, **responses}
        self._queries = 0
        self._stack = ExitStack()
        self.app = Frame(self._respond)

    def __enter__(self) -> Self:
        self.url = self._stack.enter_context(running(self.app)).url
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def sync(self, *streams: str, state: State | None = None, **changes: Any) -> Output:
        """Run the tap over one day, with these streams only; return its output."""
        settings = self.settings(**changes)
        catalog = self.catalog(**changes)
        catalog["streams"] = [e for e in catalog["streams"] if e["stream"] in streams]
        with collected() as written:
            TapKissmetrics(config=settings, state=state, catalog=catalog).execute()
        return Output(written.getvalue().decode())

    def failing_sync(self, *streams: str, **changes: Any) -> tuple[Output, SyncFailed]:
        """Run the tap as ``sync`` does; it must fail. Return its output and the error."""
        settings, catalog = self.settings(**changes), self.catalog(**changes)
        catalog["streams"] = [e for e in catalog["streams"] if e["stream"] in streams]
        with collected() as written, pytest.raises(SyncFailed) as caught:
            TapKissmetrics(config=settings, catalog=catalog).execute()
        return Output(written.getvalue().decode()), caught.value

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Return the settings of a run."""
        return {
            "api_url": self.url,
            "query_url": self.url,
            "api_token": TOKEN,
            "start_date": "2024-02-01",
            "end_date": "2024-02-01",
            "poll_interval_ms": 1,
            **changes,
        }

    def catalog(self, **changes: Any) -> dict[str, Any]:
        """Return the catalog that the tap discovers."""
        return discovered_with(self.settings(**changes))

    def requested(self, path: str = "") -> list[str]:
        """Return path and query of the requests so far whose path contains ``path``."""
        return [request.target for request in self.app.log.requests if path in request.path]

    async def _respond(self, request: Request) -> Response:
        usual = _ANY_QUERY.sub("/queries/q1/", request.path)
        response = self._responses.get(request.path, self._responses.get(usual, []))
        if callable(response):
            response = response(request)
        if isinstance(response, Response) and ("location", STATUS) in response.headers:
            self._queries += 1  # each run is a query of its own
            place = STATUS.replace("q1", f"q{self._queries}")
            return replace(response, headers=(("location", place),))
        if isinstance(response, list):
            begin, size = (int(request.parameter(name) or 0) for name in ("offset", "limit"))
            response = response[begin : begin + size]
        return response if isinstance(response, Response) else json_response(response)


def records(count: int, first: int = 1) -> list[dict[str, str]]:
    """Return ``count`` records of any list."""
    return [{"id": f"e{number}"} for number in range(first, first + count)]
