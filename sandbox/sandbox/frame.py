"""The app around every vendor's API: log, latency, faults, compression and control over HTTP."""

import asyncio
from typing import ClassVar

from sandbox.control import CONTROL_PREFIX, control
from sandbox.exchange import Request, Response, Wire, encoded_for, read_request
from sandbox.faults import Fault, Faults
from sandbox.misbehaviour import Respond, send_faulty
from sandbox.requestlog import RequestLog
from sandbox.server import Receive, Scope, Send


class Frame:
    """An ASGI app around a vendor's function from request to response."""

    decodes_path: ClassVar[bool] = True

    def __init__(self, respond: Respond, *, latency_ms: int = 0, keep: int = 100_000) -> None:
        """Delay every response by ``latency_ms``; log the last ``keep`` requests."""
        self.faults = Faults()
        self.log = RequestLog(keep)
        self.latency_ms = latency_ms
        self._vendor = respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if not self.decodes_path:
            scope["path"] = scope["raw_path"].decode("latin-1")
        request = await read_request(scope, receive)
        if request.path.startswith(CONTROL_PREFIX):
            await Wire(scope, receive, send).whole(self._control(request))
            return
        key = self.log.begin(request)
        wire = Wire(scope, receive, send, lambda status: self.log.end(key, status))
        try:
            await self._respond(request, wire)
        finally:
            self.log.end(key, wire.status)

    def _control(self, request: Request) -> Response:
        return control(request, self.log, self.faults)

    async def _respond(self, request: Request, wire: Wire) -> None:
        fault = self.faults.fault_for(request)
        if self.latency_ms:
            await asyncio.sleep(self.latency_ms / 1000)
        await self._send(request, fault, wire)

    async def _send(self, request: Request, fault: Fault | None, wire: Wire) -> None:
        if fault is None:
            await wire.whole(encoded_for(request, await self._vendor(request)))
        else:
            await send_faulty(fault, request, self._vendor, wire)
