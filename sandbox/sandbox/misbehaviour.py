"""How each kind of fault looks on the wire."""

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

Vendor = Callable[[Request], Awaitable[Response]]


async def misbehave(fault: Fault, request: Request, vendor: Vendor, wire: Wire) -> None:
    """Response as the fault demands.

    The vendor's app is not asked where the real answer is not needed, so a request with an
    effect has none when it is answered with a made-up status.
    """
    if fault.kind == "reset":
        await wire.reset()
        return
    answer = _with_retry_after(fault, _replacement(fault) or await vendor(request))
    if alter := ALTERATIONS.get(fault.kind):
        answer = alter(answer)
    deliver = DELIVERIES.get(fault.kind, _deliver)
    await deliver(fault, encoded_for(request, answer), wire)


def _replacement(fault: Fault) -> Response | None:
    """The made-up answer, for the kinds that do not need the real one."""
    match fault.kind:
        case "status":
            if fault.status in WITHOUT_BODY:
                return Response(fault.status)
            message = {"message": "Made up by the sandbox", "param": None, "details": None}
            return json_response(message, fault.status)
        case "html":
            return Response(fault.status or 200, HTML_PAGE, HTML)
        case "empty":
            return Response(fault.status or 200)
        case "redirect":
            return Response(fault.status or 302, headers=(("location", fault.location),))
        case _:
            return None


def _with_retry_after(fault: Fault, answer: Response) -> Response:
    if fault.retry_after is None:
        return answer
    value = str(fault.retry_after)
    if fault.retry_after_date:
        # A date has whole seconds: one more, so that the wait is never shorter than asked for.
        value = formatdate(time() + fault.retry_after + 1, usegmt=True)
    return replace(answer, headers=(*answer.headers, ("retry-after", value)))


async def _deliver(_fault: Fault, answer: Response, wire: Wire) -> None:
    await wire.whole(answer)


def _wrong_shape(answer: Response) -> Response:
    """Valid JSON, but an object where a list belongs, and a list where an object does."""
    is_list = answer.body.lstrip()[:1] == b"["
    value = {"unexpected": True} if is_list else [{"unexpected": True}]
    return replace(answer, body=json.dumps(value).encode())


def _other_fields(answer: Response) -> Response:
    """Valid JSON of the right shape with something else in it."""
    is_list = answer.body.lstrip()[:1] == b"["
    value = {"unexpected": True}
    return replace(answer, body=json.dumps([value] if is_list else value).encode())


def _bad_json(answer: Response) -> Response:
    """JSON that stops half way, with a length that says so was meant."""
    return replace(answer, body=answer.body[: max(1, len(answer.body) // 2)])


def _wrong_encoding(answer: Response) -> Response:
    return replace(answer, headers=(*answer.headers, ("content-encoding", "gzip")))


async def _stall(fault: Fault, answer: Response, wire: Wire) -> None:
    await asyncio.sleep(fault.wait_ms / 1000)
    await wire.whole(answer)


async def _slow_body(fault: Fault, answer: Response, wire: Wire) -> None:
    half = await _first_half(answer, wire)
    await asyncio.sleep(fault.wait_ms / 1000)
    await wire.part(answer.body[half:], more=False)


async def _cut_body(_fault: Fault, answer: Response, wire: Wire) -> None:
    await _first_half(answer, wire)
    await wire.close()


async def _reset_body(_fault: Fault, answer: Response, wire: Wire) -> None:
    await _first_half(answer, wire)
    await asyncio.sleep(SETTLE_SECONDS)
    await wire.reset()


async def _first_half(answer: Response, wire: Wire) -> int:
    """Promise the whole body, send half of it; give the length of that half."""
    half = len(answer.body) // 2
    await wire.start(answer, len(answer.body))
    await wire.part(answer.body[:half], more=True)
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
