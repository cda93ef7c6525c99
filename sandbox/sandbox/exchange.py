"""One exchange over HTTP: the request that was read, the response to send, and the connection."""

import base64
import gzip
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import parse_qsl

from sandbox.server import Receive, Scope, Send

JSON = "application/json"
HTML = "text/html; charset=utf-8"
GZIP_FROM_BYTES = 500  # a smaller body hardly shrinks
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Request:
    """A request: header names are lower case; the query keeps order, repeats and empty values."""

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
        """Return the first value of a query parameter; None when the query does not have it."""
        return next((value for key, value in self.query if key == name), None)

    @property
    def accepts_gzip(self) -> bool:
        """Whether Accept-Encoding names gzip; a q=0 is not read, since no tap sends one."""
        return "gzip" in self.headers.get("accept-encoding", "")

    @property
    def accepts_json(self) -> bool:
        """Whether the client accepts JSON; without an Accept header it does."""
        accept = self.headers.get("accept", "*/*").lower()
        types = {part.partition(";")[0].strip() for part in accept.split(",")}
        return not types.isdisjoint({JSON, "application/*", "*/*"})

    @property
    def basic_credentials(self) -> tuple[str, str] | None:
        """User and password of HTTP Basic authentication; None when there are none to read."""
        scheme, _, encoded = self.headers.get("authorization", "").partition(" ")
        try:
            decoded = base64.b64decode(encoded, validate=True).decode()
        except ValueError:
            return None
        user, colon, password = decoded.partition(":")
        return (user, password) if colon and scheme.lower() == "basic" else None


@dataclass(frozen=True)
class Response:
    """A complete response: its length is known before the first byte is sent."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: Headers = field(default=())

    @property
    def all_headers(self) -> Headers:
        """The headers to send, with the type and the length of the body."""
        length = ("content-length", str(len(self.body)))
        return (("content-type", self.content_type), length, *self.headers)

    @cached_property
    def gzipped(self) -> bytes:
        """The compressed body; kept, since vendors keep responses and send them again."""
        return gzip.compress(self.body, compresslevel=1, mtime=0)

    @property
    def is_worth_gzip(self) -> bool:
        """Whether the body is long enough to compress, and has no encoding yet."""
        is_encoded = any(name == "content-encoding" for name, _ in self.headers)
        return len(self.body) > GZIP_FROM_BYTES and not is_encoded


def json_response(value: object, status: int = 200, headers: Headers = ()) -> Response:
    """Return a response with compact JSON in UTF-8, not escaped to ASCII."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(status=status, body=text.encode(), headers=headers)


class Refusal(Exception):
    """A request that the vendor refuses: the status and the message of the error response."""

    def __init__(self, status: int, message: str, headers: Headers = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers


class Wire:
    """The connection to the client, for one response; ``close`` and ``reset`` break it off.

    ``on_end`` is called with the status just before the last bytes are sent, so that a client
    that has its response finds it in the log. The status is None when none was sent.
    """

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        on_end: Callable[[int | None], None] = lambda _status: None,
    ) -> None:
        """Take the two ways to break off from the server's extension (see ``server``)."""
        self._break_off: Mapping[str, Callable[[], None]] = scope["extensions"]["sandbox"]
        self._receive = receive
        self._send = send
        self._on_end = on_end
        self.status: int | None = None

    async def start(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        """Send the status and the headers; without a length the body is sent in chunks."""
        pairs = [(name.encode(), value.encode("latin-1")) for name, value in headers]
        self.status = status
        await self._send({"type": "http.response.start", "status": status, "headers": pairs})

    async def part(self, body: bytes, *, more: bool) -> None:
        """Send a part of the body; ``more`` is false for the last one."""
        if not more:
            self._on_end(self.status)
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def whole(self, response: Response) -> None:
        """Send a response without any fault."""
        await self.start(response.status, response.all_headers)
        await self.part(response.body, more=False)

    async def close(self) -> None:
        """Close the connection, even if the headers promised more bytes."""
        await self._end("close")

    async def reset(self) -> None:
        """Reset the connection, so that the client's next read or write fails."""
        await self._end("reset")

    async def _end(self, how: str) -> None:
        self._on_end(self.status)
        self._break_off[how]()
        # uvicorn logs an error if the app returns before the connection is closed.
        await self.disconnected()

    async def disconnected(self) -> None:
        """Wait until the connection is closed."""
        while (await self._receive())["type"] != "http.disconnect":
            pass


async def read_request(scope: Scope, receive: Receive) -> Request:
    """Read a whole request, including its body."""
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


def encoded_for(request: Request, response: Response) -> Response:
    """Return the response gzipped if the client accepts gzip and the body is worth it."""
    if not (request.accepts_gzip and response.is_worth_gzip):
        return response
    headers = (*response.headers, ("content-encoding", "gzip"), ("vary", "accept-encoding"))
    return Response(response.status, response.gzipped, response.content_type, headers)
