"""What surrounds every vendor's API: log, latency, faults, compression, control by HTTP."""

import asyncio

from sandbox.control import CONTROL_PREFIX, control
from sandbox.exchange import encoded_for, read_request, wire_of
from sandbox.faults import Faults
from sandbox.misbehaviour import Vendor, misbehave
from sandbox.requestlog import RequestLog
from sandbox.server import Receive, Scope, Send


class Frame:
    """An ASGI app around a vendor's function from request to answer."""

    def __init__(self, vendor: Vendor, *, latency_ms: int = 0, keep: int = 100_000) -> None:
        """Answer every request ``latency_ms`` late; log the last ``keep`` requests."""
        self.faults = Faults()
        self.log = RequestLog(keep)
        self.latency_ms = latency_ms
        self._vendor = vendor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = await read_request(scope, receive)
        wire = wire_of(scope, receive, send)
        if request.path.startswith(CONTROL_PREFIX):
            await wire.whole(control(request, self.log, self.faults))
            return
        with self.log.entry(request) as outcome:
            fault = self.faults.strike(request)
            if self.latency_ms:
                await asyncio.sleep(self.latency_ms / 1000)
            if fault is None:
                answer = encoded_for(request, await self._vendor(request))
                outcome.status = answer.status
                await wire.whole(answer)
            else:
                outcome.status = await misbehave(fault, request, self._vendor, wire)
