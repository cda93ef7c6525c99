"""What surrounds every vendor's API: log, latency, faults, compression, control by HTTP."""

import asyncio

from sandbox.control import CONTROL_PREFIX, control
from sandbox.exchange import Request, Wire, encoded_for, read_request
from sandbox.faults import Faults
from sandbox.misbehaviour import Vendor, misbehave
from sandbox.requestlog import RequestLog
from sandbox.server import Receive, Scope, Send


class Frame:
    """An ASGI app around a vendor's function from request to answer."""

    def __init__(self, vendor: Vendor, *, latency_ms: int = 0, keep: int = 100_000) -> None:
        """Response every request ``latency_ms`` late; log the last ``keep`` requests."""
        self.faults = Faults()
        self.log = RequestLog(keep)
        self.latency_ms = latency_ms
        self._vendor = vendor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = await read_request(scope, receive)
        if request.path.startswith(CONTROL_PREFIX):
            answer = control(request, self.log, self.faults)
            await Wire(scope, receive, send).whole(answer)
            return
        entry = self.log.begin(request)
        wire = Wire(scope, receive, send, entry.end)
        try:
            await self._respond(request, wire)
        finally:
            entry.end(wire.status)

    async def _respond(self, request: Request, wire: Wire) -> None:
        fault = self.faults.strike(request)
        if self.latency_ms:
            await asyncio.sleep(self.latency_ms / 1000)
        if fault is None:
            await wire.whole(encoded_for(request, await self._vendor(request)))
        else:
            await misbehave(fault, request, self._vendor, wire)
