"""A server of one domain with any responses, also responses that the sandbox never makes."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from sandbox.exchange import Request, Response, json_response
from sandbox.frame import Frame
from sandbox.server import running
from tap_kindmetrics.tap import TapKindmetrics

from tests.kindmetrics.site import TOKEN
from tests.processes import collected
from tests.singer import Output

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

USUAL: dict[str, Any] = {
    "/api/me": {"email": "demo@kindmetrics.example"},
    "/api/domains": [{"id": 1, "address": "shop.example"}],
}


class Responses:
    """A server that responds to a path with its value in ``bodies``, else with an empty list."""

    def __init__(self, bodies: Mapping[str, Any]) -> None:
        self._bodies = {**USUAL, **bodies}
        self._stack = ExitStack()
        self.app = Frame(self._respond)

    def __enter__(self) -> Self:
        self.url = self._stack.enter_context(running(self.app)).url
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def sync(self, *streams: str, **changes: Any) -> Output:
        """Return the output of a run over one day that reads only ``streams``."""
        settings = {
            "api_url": self.url,
            "api_token": TOKEN,
            "start_date": "2024-02-01",
            "end_date": "2024-02-01",
            **changes,
        }
        catalog = TapKindmetrics(config=settings).catalog_dict
        catalog["streams"] = [e for e in catalog["streams"] if e["stream"] in streams]
        with collected() as written:
            TapKindmetrics(config=settings, catalog=catalog).execute()
        return Output(written.getvalue().decode())

    async def _respond(self, request: Request) -> Response:
        body = self._bodies.get(request.path, [])
        return body if isinstance(body, Response) else json_response(body)
