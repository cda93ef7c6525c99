"""Version 3 in a server with canned responses, for what the sandbox never sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tap_kissmetrics.tap import TapKissmetrics
from tap_kit.errors import Interrupted
from typing_extensions import override

from tests.kissmetrics.canned import Canned
from tests.kissmetrics.v3.site import PASSWORD, USERNAME
from tests.processes import collected
from tests.singer import Output

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

USUAL: dict[str, Any] = {
    "/products": [{"id": 1, "name": "Shop", "timezone": "UTC"}],
    "/products/1/reports": [
        {"id": 7, "name": "Who", "product_id": 1, "report_type": "people_search"}
    ],
    "/queries/report": {"id": "q1"},
    "/queries/metric": {"id": "q1"},
    "/queries": {"id": "q1"},
}
ROWS = [{"identity": "a@x", "columns": [5]}, {"identity": "b@x", "columns": [6]}]


class V3Canned(Canned):
    """A server as ``Canned``, for version 3."""

    def __init__(self, responses: Mapping[str, Any]) -> None:
        super().__init__({**USUAL, **responses})
        self.stop: Callable[[], None] = lambda: None

    @override
    def settings(self, **changes: Any) -> dict[str, Any]:
        """Return the settings of a run."""
        return {
            "api_version": "v3",
            "v3_url": self.url,
            "username": USERNAME,
            "password": PASSWORD,
            "start_date": "2024-02-01",
            "end_date": "2024-02-01",
            "poll_interval_ms": 1,
            "requests_per_minute": 1_000_000,
            **changes,
        }

    def interrupted(self, *streams: str, **changes: Any) -> Output:
        """Return the output of a run that is stopped by ``stop``, which a response may call."""
        catalog = self.catalog(**changes)
        catalog["streams"] = [e for e in catalog["streams"] if e["stream"] in streams]
        tap = TapKissmetrics(config=self.settings(**changes), catalog=catalog)
        self.stop = tap.run.stop.set
        with collected() as written, pytest.raises(Interrupted):
            tap.execute()
        return Output(written.getvalue().decode())


def pages(rows: list[Any], *, completed: Any = True) -> Any:
    """Return a response about a query, which cuts its rows into the requested pages."""

    def response(request: Any) -> Any:
        begin, size = (int(request.parameter(name) or 0) for name in ("offset", "limit"))
        return {"completed": completed, "data": rows[begin : begin + size]}

    return response
