"""What goes over the wire: a request that was read, an answer to be sent, and the wire itself."""

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import parse_qsl

from sandbox.server import Receive, Scope, Send

JSON = "application/json"
HTML = "text/html; charset=utf-8"
GZIP_FROM_BYTES = 500  # a smaller body hardly shrinks


@dataclass(frozen=True)
class Request:
    """One request: header names are lower case; the query keeps order, repeats and blanks."""

    method: str
    path: str
    query_string: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes = b""
    client: str = ""

    @property
    def target(self) -> str:
        """Path and query, as in the request line but with the path decoded."""
        return f"{self.path}?{self.query_string}" if self.query_string else self.path

    def parameter(self, name: str) -> str | None:
        """Give the first value of a query parameter; None when it is not there at all."""
        return next((value for key, value in self.query if key == name), None)

    @property
    def accepts_gzip(self) -> bool:
        """Whether the client named gzip, which none of ours ever does with q=0."""
        return "gzip" in self.headers.get("accept-encoding", "")


@dataclass(frozen=True)
class Response:
    """One answer, complete: its length is known before the first byte goes out."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = field(default=())

    @cached_property
    def gzipped(self) -> bytes:
        """The body for a client that accepts gzip; kept, since answers are kept too."""
        return gzip.compress(self.body, compresslevel=1, mtime=0)

    def is_worth_gzip(self) -> bool:
        """Whether the body is long enough, and not encoded yet."""
        encoded = any(name == "content-encoding" for name, _ in self.headers)
        return len(self.body) > GZIP_FROM_BYTES and not encoded


def json_response(
    value: object, status: int = 200, headers: tuple[tuple[str, str], ...] = ()
) -> Response:
    """Response with compact JSON in UTF-8, not escaped to ASCII."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(status=status, body=text.encode(), headers=headers)


class Wire:
    """One exchange's way back to the client; ``close`` and ``reset`` hang up at once.

    ``ending`` is told the status just before the last of it goes out: a client that has its
    answer finds it in the log. The status is None when none has gone out.
    """

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        ending: Callable[[int | None], None] = lambda _status: None,
    ) -> None:
        """Take the two ways to hang up from the server's extension (see ``server``)."""
        self._hang_up: Mapping[str, Callable[[], None]] = scope["extensions"]["sandbox"]
        self._receive = receive
        self._send = send
        self._ending = ending
        self.status: int | None = None

    async def start(self, answer: Response, length: int) -> None:
        """Send the status and the headers, promising ``length`` bytes."""
        headers = [
            (b"content-type", answer.content_type.encode()),
            (b"content-length", str(length).encode()),
        ]
        headers += [(name.encode(), value.encode("latin-1")) for name, value in answer.headers]
        self.status = answer.status
        await self._send(
            {"type": "http.response.start", "status": answer.status, "headers": headers}
        )

    async def part(self, body: bytes, *, more: bool) -> None:
        """Send a piece of the body; the last one has ``more`` false."""
        if not more:
            self._ending(self.status)
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def whole(self, answer: Response) -> None:
        """Send an answer as it is meant to arrive."""
        await self.start(answer, len(answer.body))
        await self.part(answer.body, more=False)

    async def close(self) -> None:
        """End the connection after what was sent, whatever was promised."""
        await self._end("close")

    async def reset(self) -> None:
        """Break the connection, so that the client's next read or write fails."""
        await self._end("reset")

    async def _end(self, how: str) -> None:
        self._ending(self.status)
        self._hang_up[how]()
        # Whoever returns while the connection still counts as up is taken to have failed.
        while (await self._receive())["type"] != "http.disconnect":
            pass


async def read_request(scope: Scope, receive: Receive) -> Request:
    """Read a request whole, with its body."""
    query_string = scope["query_string"].decode("latin-1")
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1"), value.decode("latin-1"))
    has_body = "content-length" in headers or "transfer-encoding" in headers
    client = scope["client"]
    return Request(
        method=scope["method"],
        path=scope["path"],
        query_string=query_string,
        query=tuple(parse_qsl(query_string, keep_blank_values=True)),
        headers=headers,
        body=await _read_body(receive) if has_body else b"",
        client=f"{client[0]}:{client[1]}" if client else "",
    )


async def _read_body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def encoded_for(request: Request, answer: Response) -> Response:
    """Give the answer as this client may have it: gzipped when that is accepted and pays."""
    if not (request.accepts_gzip and answer.is_worth_gzip()):
        return answer
    headers = (*answer.headers, ("content-encoding", "gzip"), ("vary", "accept-encoding"))
    return Response(answer.status, answer.gzipped, answer.content_type, headers)
