"""The two apps: the API with its paths undecoded, and the storage that sends its files in pieces.

The frame holds an answer whole before it goes out, which a file of gigabytes cannot be.
"""

import asyncio
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from typing_extensions import override

from sandbox.control import CONTROL_PREFIX, control
from sandbox.exchange import Request, Response, Wire, json_response, read_request
from sandbox.faults import Fault
from sandbox.frame import Frame
from sandbox.khoros.storage import Body, Links
from sandbox.misbehaviour import SETTLE_SECONDS, Vendor, misbehave
from sandbox.server import Receive, Scope, Send

COUNTS_ROUTE = f"{CONTROL_PREFIX}khoros"
PIECE_BYTES = 256 * 1024
GZIP = 31  # zlib's window bits for a gzip header
WITHOUT_FILE = frozenset(
    {"status", "html", "empty", "redirect", "reset", "wrong_shape", "other_fields"}
)
HOW = {"cut_body": "close", "reset_body": "reset", "slow_body": "slow", "bad_json": "short"}


class ApiFrame(Frame):
    """Leaves the path as it was sent, so that an encoded slash is told from a real one.

    One more control route tells what was done to the jobs.
    """

    def __init__(
        self, vendor: Vendor, told: Callable[[], object], *, latency_ms: int, keep: int
    ) -> None:
        super().__init__(vendor, latency_ms=latency_ms, keep=keep)
        self._told = told

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["path"] = scope["raw_path"].decode("latin-1")
        if (scope["method"], scope["path"]) == ("GET", COUNTS_ROUTE):
            await Wire(scope, receive, send).whole(json_response(self._told()))
            return
        await super().__call__(scope, receive, send)


class Break(NamedTuple):
    """Where a body breaks off, in bytes before compression, and how."""

    at: int
    how: str
    wait: float = 0.0


class StreamWire(Wire):
    """A wire for bodies whose length need not be known, and whose reader may go away."""

    async def start_stream(self, headers: dict[str, str]) -> None:
        """Send status 200 and these headers; without a length the body goes in chunks."""
        self.status = 200
        pairs = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": 200, "headers": pairs})

    async def gone(self) -> None:
        """Wait until nobody listens any more."""
        while (await self._receive())["type"] != "http.disconnect":
            pass


class StorageFrame(Frame):
    """Sends files in pieces, and has the frame's faults befall them all the same."""

    def __init__(self, links: Links, like: Frame) -> None:
        """Share the log, the faults and the latency of another app."""
        super().__init__(self._answer)
        self._links = links
        self._like = like
        self.faults, self.log = like.faults, like.log

    async def _answer(self, request: Request) -> Response:
        """Stand in for a file where a fault does away with it anyway."""
        found = self._links.open(request)
        return found if isinstance(found, Response) else Response(200, b"[]")

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["path"] = scope["raw_path"].decode("latin-1")
        request = await read_request(scope, receive)
        if request.path.startswith(CONTROL_PREFIX):
            answer = control(request, self.log, self.faults)
            await Wire(scope, receive, send).whole(answer)
            return
        entry = self.log.begin(request)
        wire = StreamWire(scope, receive, send, entry.end)
        try:
            await self._serve(request, wire)
        finally:
            entry.end(wire.status)

    async def _serve(self, request: Request, wire: StreamWire) -> None:
        fault = self.faults.strike(request)
        if self._like.latency_ms:
            await asyncio.sleep(self._like.latency_ms / 1000)
        if fault is not None and fault.kind in WITHOUT_FILE:
            await misbehave(fault, request, self._answer, wire)
            return
        if fault is not None and fault.kind == "stall":
            await asyncio.sleep(fault.wait_ms / 1000)
        found = self._links.open(request)
        if isinstance(found, Response):
            await wire.whole(found)
            return
        is_lying = fault is not None and fault.kind == "wrong_encoding"
        await _send(found, _break_of(found, fault), wire, is_lying=is_lying)


def _break_of(body: Body, fault: Fault | None) -> Break | None:
    """Give where the body breaks off: as the fault says, else as the switches say."""
    if fault is not None and fault.kind in HOW:
        return Break(body.file.length // 2, HOW[fault.kind], fault.wait_ms / 1000)
    cut = body.cut
    if cut is None:
        return None
    return Break(cut.byte if cut.row is None else body.file.middle_of_row(cut.row), cut.how)


async def _send(body: Body, broken: Break | None, wire: StreamWire, *, is_lying: bool) -> None:
    headers = {"content-type": body.content_type}
    if body.is_gzipped or is_lying:
        headers["content-encoding"] = "gzip"
    if not (body.is_chunked or body.is_gzipped):
        is_short = broken is not None and broken.how == "short"
        length = broken.at if broken is not None and is_short else body.file.length
        headers["content-length"] = str(length)
    await wire.start_stream(headers)
    gone = asyncio.ensure_future(wire.gone())
    try:
        await _send_pieces(body, broken, wire, gone)
    finally:
        gone.cancel()


async def _send_pieces(
    body: Body, broken: Break | None, wire: Wire, gone: "asyncio.Future[None]"
) -> None:
    """Send a body until it is over, breaks off, or nobody listens any more."""
    packer = zlib.compressobj(1, wbits=GZIP) if body.is_gzipped else _Plain()
    for piece in pieces(body.file.pieces(), broken.at if broken else None):
        packed = packer.compress(piece.body)
        if piece.is_last and not piece.is_seam:
            await wire.part(packed + packer.flush(), more=False)
            return
        if piece.is_seam:
            packed += packer.flush(zlib.Z_SYNC_FLUSH)
        await wire.part(packed, more=True)
        await asyncio.sleep(0)  # other requests want an answer too
        if gone.done():
            return
        if piece.is_seam and broken is not None and await _break(broken, wire):
            return


class _Plain:
    """Compresses nothing."""

    def compress(self, body: bytes) -> bytes:
        return body

    def flush(self, _mode: int = zlib.Z_FINISH) -> bytes:
        return b""


async def _break(broken: Break, wire: Wire) -> bool:
    """Break off as told; give whether that was the end."""
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
    """Some bytes of a file; a seam is where it is to break off."""

    body: bytes
    is_seam: bool = False
    is_last: bool = False


def pieces(small: Iterator[bytes], at: int | None) -> Iterator[Piece]:
    """Join small pieces to larger ones, with a seam after ``at`` bytes.

    A file that ends before has its seam at its end.
    """
    held: list[bytes] = []
    size, left = 0, at
    for part in small:
        rest = part
        if left is not None and size + len(rest) >= left:
            yield Piece(b"".join((*held, rest[: left - size])), is_seam=True)
            held, rest, size, left = [], rest[left - size :], 0, None
        held.append(rest)
        size += len(rest)
        if size >= PIECE_BYTES:
            yield Piece(b"".join(held))
            left = None if left is None else left - size
            held, size = [], 0
    yield Piece(b"".join(held), is_seam=left is not None, is_last=True)
