"""The two apps: the API, which reads paths undecoded, and the storage, which streams its files.

The frame's responses are held in memory, which is not possible for files of gigabytes.
"""

import asyncio
import zlib
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from typing_extensions import override

from sandbox.control import CONTROL_PREFIX
from sandbox.exchange import Request, Response, Wire, json_response
from sandbox.faults import Fault
from sandbox.frame import Frame
from sandbox.khoros.jobs import Counts
from sandbox.khoros.storage import Body, Links
from sandbox.khoros.switches import Switches
from sandbox.misbehaviour import SETTLE_SECONDS, Respond, send_faulty

COUNTS_ROUTE = ("GET", f"{CONTROL_PREFIX}khoros")
PIECE_BYTES = 256 * 1024
GZIP = 31  # zlib's window bits for a gzip header
WITHOUT_FILE = frozenset(
    {"status", "html", "empty", "redirect", "reset", "wrong_shape", "other_fields"}
)
HOW = {"cut_body": "close", "reset_body": "reset", "slow_body": "slow", "bad_json": "short"}


class ApiFrame(Frame):
    """The app of the API, with a control route for the counts.

    It does not decode paths, so that an encoded slash differs from a real one.
    """

    decodes_path: ClassVar[bool] = False

    def __init__(self, respond: Respond, counts: Counts, switches: Switches) -> None:
        super().__init__(respond, latency_ms=switches.latency_ms, keep=switches.keep_requests)
        self._counts = counts

    @override
    def _control(self, request: Request) -> Response:
        if (request.method, request.path) == COUNTS_ROUTE:
            return json_response(self._counts.as_json())
        return super()._control(request)


class StorageFrame(Frame):
    """The app of the storage: it streams files, and applies the frame's faults to them."""

    decodes_path: ClassVar[bool] = False

    def __init__(self, links: Links, api: Frame) -> None:
        """Share the log, the faults and the latency of the API's app."""
        super().__init__(self._placeholder, latency_ms=api.latency_ms)
        self._links = links
        self.faults, self.log = api.faults, api.log

    async def _placeholder(self, request: Request) -> Response:
        """Return a short response instead of a file that a fault replaces."""
        found = self._links.open(request)
        return found if isinstance(found, Response) else Response(200, b"[]")

    @override
    async def _send(self, request: Request, fault: Fault | None, wire: Wire) -> None:
        if fault is not None and fault.kind in WITHOUT_FILE:
            await send_faulty(fault, request, self._placeholder, wire)
            return
        if fault is not None and fault.kind == "stall":
            await asyncio.sleep(fault.wait_ms / 1000)
        found = self._links.open(request)
        if isinstance(found, Response):
            await wire.whole(found)
            return
        claims_gzip = fault is not None and fault.kind == "wrong_encoding"
        await _send_body(found, _break_of(found, fault), wire, claims_gzip=claims_gzip)


class Break(NamedTuple):
    """Where a body breaks off, in bytes before compression, and how."""

    at: int
    how: str
    wait: float = 0.0


def _break_of(body: Body, fault: Fault | None) -> Break | None:
    """Return where the body breaks off, which the fault defines, or else the switches."""
    if fault is not None and fault.kind in HOW:
        return Break(body.file.length // 2, HOW[fault.kind], fault.wait_ms / 1000)
    cut = body.cut
    if cut is None:
        return None
    return Break(cut.byte if cut.row is None else body.file.middle_of_row(cut.row), cut.how)


async def _send_body(body: Body, broken: Break | None, wire: Wire, *, claims_gzip: bool) -> None:
    headers = {"content-type": body.content_type}
    if body.is_gzipped or claims_gzip:
        headers["content-encoding"] = "gzip"
    if not (body.is_chunked or body.is_gzipped):
        is_short = broken is not None and broken.how == "short"
        length = broken.at if broken is not None and is_short else body.file.length
        headers["content-length"] = str(length)
    await wire.start(200, headers.items())
    gone = asyncio.ensure_future(wire.disconnected())
    try:
        await _send_pieces(body, broken, wire, gone)
    finally:
        gone.cancel()


async def _send_pieces(
    body: Body, broken: Break | None, wire: Wire, gone: "asyncio.Future[None]"
) -> None:
    """Send a body until it ends, breaks off, or the client disconnects."""
    packer = zlib.compressobj(1, wbits=GZIP) if body.is_gzipped else _Plain()
    for piece in pieces(body.file.pieces(), broken.at if broken else None):
        packed = packer.compress(piece.body)
        if piece.is_last and not piece.is_break:
            await wire.part(packed + packer.flush(), more=False)
            return
        if piece.is_break:
            packed += packer.flush(zlib.Z_SYNC_FLUSH)
        await wire.part(packed, more=True)
        await asyncio.sleep(0)  # lets the loop serve other requests
        if gone.done():
            return
        if piece.is_break and broken is not None and await _break_off(broken, wire):
            return


class _Plain:
    """A compressor that does not compress."""

    def compress(self, body: bytes) -> bytes:
        return body

    def flush(self, _mode: int = zlib.Z_FINISH) -> bytes:
        return b""


async def _break_off(broken: Break, wire: Wire) -> bool:
    """Break off a body, and return whether that ends the response."""
    match broken.how:
        case "slow":
            await asyncio.sleep(broken.wait)
            return False
        case "short":
            await wire.part(b"", more=False)
        case "reset":
            await asyncio.sleep(SETTLE_SECONDS)
            await wire.reset()
        case _:
            await wire.close()
    return True


class Piece(NamedTuple):
    """Some bytes of a file; the body breaks off after a piece with ``is_break``."""

    body: bytes
    is_break: bool = False
    is_last: bool = False


def pieces(parts: Iterator[bytes], at: int | None) -> Iterator[Piece]:
    """Join small parts to larger pieces, with a break after ``at`` bytes.

    In a file that is shorter the break is at the end.
    """
    held: list[bytes] = []
    size, left = 0, at
    for part in parts:
        rest = part
        if left is not None and size + len(rest) >= left:
            yield Piece(b"".join((*held, rest[: left - size])), is_break=True)
            held, rest, size, left = [], rest[left - size :], 0, None
        held.append(rest)
        size += len(rest)
        if size >= PIECE_BYTES:
            yield Piece(b"".join(held))
            left = None if left is None else left - size
            held, size = [], 0
    yield Piece(b"".join(held), is_break=left is not None, is_last=True)
