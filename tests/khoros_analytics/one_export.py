"""A server of one finished export with any body, also bodies that the sandbox never makes."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sandbox.exchange import Request, Response, json_response
from sandbox.frame import Frame
from sandbox.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

IDS = {"workflowId": "w", "runId": "r"}
DONE = {
    "jobInfo": {**IDS, "downloadUrl": "https://elsewhere.example/", "statusUrl": ""},
    "result": {"runnerState": "CLOSED", "detail": "COMPLETED"},
}


@contextmanager
def serving(
    body: bytes,
    headers: tuple[tuple[str, str], ...] = (),
    *,
    status: Any = DONE,
    start: Any = IDS,
    teams: Any = (),
) -> Iterator[str]:
    """Return the URL of a server that responds to each download with ``body``."""

    async def respond(request: Request) -> Response:
        if request.path.endswith("/download"):
            return Response(200, body, "application/octet-stream", headers)
        if request.path.endswith("/teams"):
            return json_response({"status": "PASS", "result": teams})
        result = status if request.path.endswith("/status") else start
        return json_response({"status": "PASS", "result": result})

    with running(Frame(respond)) as server:
        yield server.url
