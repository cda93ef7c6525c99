"""What each kind of fault sends."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from email.utils import formatdate
from time import time

from sandbox.exchange import HTML, Request, Response, Wire, encoded_for, json_response
from sandbox.faults import Fault

HTML_PAGE = b"<!DOCTYPE html><html><head><title>Hold on</title></head><body>Hold on</body></html>"
WITHOUT_BODY = frozenset({204, 205, 304})
SETTLE_SECONDS = 0.02  # lets the first half of a body reach the client before the reset

Respond = Callable[[Request], Awaitable[Response]]


async def send_faulty(fault: Fault, request: Request, respond: Respond, wire: Wire) -> None:
    """Send a response with a fault.

    ``respond`` is called only if its response is needed: a request whose response is
    replaced has no effect.
    """
    if fault.kind == "reset":
        await wire.reset()
        return
    response = with_retry_after(fault, _replacement(fault) or await respond(request))
    if alter := ALTERATIONS.get(fault.kind):
        response = alter(response)
    deliver = DELIVERIES.get(fault.kind, _deliver)
    await deliver(fault, encoded_for(request, response), wire)


def _replacement(fault: Fault) -> Response | None:
    """Return the response of the kinds that do not need the vendor's."""
    match fault.kind:
        case "status":
            if fault.status in WITHOUT_BODY:
                return Response(fault.status)
            message = {"message": "Made by a fault of the sandbox", "param": None, "details": None}
            return json_response(message, fault.status)
        case "html":
            return Response(fault.status or 200, HTML_PAGE, HTML)
        case "empty":
            return Response(fault.status or 200)
        case "redirect":
            return Response(fault.status or 302, headers=(("location", fault.location),))
        case _:
            return None


def with_retry_after(fault: Fault, response: Response) -> Response:
    """Add the header of a fault that has one."""
    if fault.retry_after is None:
        return response
    value = str(fault.retry_after)
    if fault.retry_after_date:
        # A date has whole seconds: one more, so that the wait is never shorter than requested.
        value = formatdate(time() + fault.retry_after + 1, usegmt=True)
    return replace(response, headers=(*response.headers, ("retry-after", value)))


async def _deliver(_fault: Fault, response: Response, wire: Wire) -> None:
    await wire.whole(response)


def _wrong_shape(response: Response) -> Response:
    """Replace a list by an object, and anything else by a list."""
    value = {"unexpected": True}
    return _with_json(response, value if _is_list(response) else [value])


def _other_fields(response: Response) -> Response:
    """Keep the shape, but with an unknown field and no other."""
    value = {"unexpected": True}
    return _with_json(response, [value] if _is_list(response) else value)


def _is_list(response: Response) -> bool:
    return response.body.lstrip()[:1] == b"["


def _with_json(response: Response, value: object) -> Response:
    return replace(response, body=json.dumps(value).encode())


def _bad_json(response: Response) -> Response:
    """Cut the JSON in half, with the length of that half."""
    return replace(response, body=response.body[: max(1, len(response.body) // 2)])


def _wrong_encoding(response: Response) -> Response:
    return replace(response, headers=(*response.headers, ("content-encoding", "gzip")))


async def _stall(fault: Fault, response: Response, wire: Wire) -> None:
    await asyncio.sleep(fault.wait_ms / 1000)
    await wire.whole(response)


async def _slow_body(fault: Fault, response: Response, wire: Wire) -> None:
    half = await _send_half(response, wire)
    await asyncio.sleep(fault.wait_ms / 1000)
    await wire.part(response.body[half:], more=False)


async def _cut_body(_fault: Fault, response: Response, wire: Wire) -> None:
    await _send_half(response, wire)
    await wire.close()


async def _reset_body(_fault: Fault, response: Response, wire: Wire) -> None:
    await _send_half(response, wire)
    await asyncio.sleep(SETTLE_SECONDS)
    await wire.reset()


async def _send_half(response: Response, wire: Wire) -> int:
    """Send headers that promise the whole body, and half of it; return the length of that half."""
    half = len(response.body) // 2
    await wire.start(response.status, response.all_headers)
    await wire.part(response.body[:half], more=True)
    return half


ALTERATIONS: Mapping[str, Callable[[Response], Response]] = {
    "wrong_shape": _wrong_shape,
    "other_fields": _other_fields,
    "bad_json": _bad_json,
    "wrong_encoding": _wrong_encoding,
}
DELIVERIES: Mapping[str, Callable[[Fault, Response, Wire], Awaitable[None]]] = {
    "stall": _stall,
    "slow_body": _slow_body,
    "cut_body": _cut_body,
    "reset_body": _reset_body,
}
