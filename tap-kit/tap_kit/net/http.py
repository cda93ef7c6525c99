"""The HTTP policy of every request: timeouts, retries, ``Retry-After``, one host, no secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import requests
import urllib3
from typing_extensions import override

from tap_kit.errors import Retriable, SyncFailed
from tap_kit.net.bodies import parse_json
from tap_kit.net.exchange import RESPONSE_TIMEOUTS, Exchange, exchanging
from tap_kit.net.hosts import api_path
from tap_kit.net.logs import make_records_safe
from tap_kit.net.reading import BodyReader, BytesCheck, BytesReader, error_detail, read_pieces
from tap_kit.net.redirects import Redirects
from tap_kit.net.retries import MAX_REQUEST_S, FailingRequests, with_retries
from tap_kit.net.sessions import open_session
from tap_kit.net.wire import connection_error, retry_after_s, shape_problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_kit.net.throttle import Throttle

RETRIABLE_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})
NOT_MODIFIED = 304  # no error, but no response to a request without a condition either
DEFAULT_MAX_MB = 64  # of the setting max_response_mb

Params = Mapping[str, "str | int | Sequence[str]"]
"""The parameters of a query or a form; a sequence repeats its parameter."""


@dataclass(frozen=True)
class Request:
    """A request: a path below the API's address, its query, and a body as JSON or as a form.

    ``statuses`` are the statuses with which the API answers it, by the vendor's documents. Another
    one below 300, such as 202 or 206, is not its result: it is retried. One that is not ``urgent``
    (a poll) lets the others go first when the budget is short.
    """

    path: str
    params: Params = field(default_factory=dict)
    method: str = "GET"
    body: Mapping[str, Any] | None = None
    form: Params | None = None
    statuses: frozenset[int] = frozenset({200})
    urgent: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float | None = None  # the default is the timeout of the API

    @override
    def __str__(self) -> str:
        return f"{self.method} {self.path.partition('?')[0]}"  # a query can contain a secret


class Response(NamedTuple):
    """A successful response: its status, its headers (in any case) and its JSON value."""

    status: int
    headers: Mapping[str, str]
    value: Any


@dataclass(frozen=True)
class ErrorResponse:
    """A response that is not successful and cannot be retried, for the vendor's client to map."""

    status: int
    source: str  # the request, for messages
    detail: str = ""  # the server's reason: text of its body, one line; its content may be secret
    headers: Mapping[str, str] = field(default_factory=dict, compare=False)


ErrorMapper = Callable[[ErrorResponse], Exception]
"""Returns the error to raise for an error response."""
Shape = type | tuple[type, ...]
"""The JSON types that a response can have at its top level, such as list or dict."""
Decode = Callable[[bytes, str], Any]
"""Returns the value of a body; the second argument names the request in messages."""
Check = Callable[[Response], "str | None"]
"""Returns what is wrong with a response; None if nothing is."""


class Api:
    """One vendor's API at one address; safe to use from several threads.

    ``auth`` adds the credentials to a request. They are not a default header of the session, so
    they are not sent elsewhere; and given as ``auth``, a ``.netrc`` does not replace them.
    ``error_for`` turns a status of 3xx or 4xx that cannot be retried into the error to raise.
    ``prefixes`` are the paths that belong to the API: a link to another path is refused.
    ``max_response_mb`` is the limit for a response that is read as a whole, in MiB.
    """

    unreachable = ""  # what to do instead, for the errors of ``send`` before the first response

    def __init__(
        self,
        url: str,
        *,
        auth: requests.auth.AuthBase,
        error_for: ErrorMapper,
        throttle: Throttle,
        timeout_s: float,
        user_agent: str,
        prefixes: tuple[str, ...] = ("/",),
        max_response_mb: int = DEFAULT_MAX_MB,
    ) -> None:
        self._url = url.rstrip("/")
        self._prefixes = prefixes
        self._auth = auth
        self._error_for = error_for
        self._throttle = throttle
        self._timeout_s = timeout_s
        self._max_mb = max_response_mb
        self._failing = FailingRequests()
        self._peers: set[str] = set()  # the kinds of addresses where this API is
        make_records_safe()
        connections = throttle.concurrency
        self._session = open_session(self._url, user_agent=user_agent, connections=connections)
        self._redirects = Redirects(self._url, self._peers, user_agent)

    def send(
        self,
        request: Request,
        shape: Shape,
        check: Check = lambda _: None,
        *,
        decode: Decode = parse_json,
    ) -> Response:
        """Return the response to ``request``, whose JSON value has the type ``shape``.

        ``check`` returns what is wrong with a response that is not the one requested; the request
        is retried then. ``decode`` turns the body into a value.

        Raises:
            SyncFailed: if the last try fails; one line says what failed and why.
            Exception: what ``error_for`` returns for an error response.
        """
        try:
            return with_retries(
                lambda: self._attempt(request, shape, check, decode),
                self._throttle.sleep,
                self._failing,
            )
        except SyncFailed as error:
            if not self.unreachable:
                raise
            msg = f"{error}; {self.unreachable}"
            raise SyncFailed(msg) from error.__cause__

    def fetch_bytes(self, request: Request, limit: int, check: BytesCheck | None = None) -> bytes:
        """Return the body of ``request`` unchanged, without its compression: a part of a file.

        ``check`` returns what is wrong with the headers and the body; the request is retried then.

        Raises:
            SyncFailed: if the last try fails, or the body is longer than ``limit`` bytes.
            Exception: what ``error_for`` returns for an error response.
        """

        def attempt() -> bytes:
            with self._throttle.request(urgent=request.urgent):
                return self._exchange(request, BytesReader(limit, check))[2]

        return with_retries(attempt, self._throttle.sleep, self._failing)

    def send_once(self, request: Request) -> Any:
        """Return the JSON of a single attempt that ignores the rate limit: for the end of a run."""
        with self._body_reader() as reader:
            _, _, body = self._exchange(request, reader)
            return parse_json(body, str(request))

    def open(self, request: Request) -> Iterator[bytes]:
        """Yield the body of ``request`` in pieces as they arrive, in a single attempt.

        The body is decompressed and in UTF-8. ``rows.streaming.read_with_resume`` retries. A
        redirect is followed to any host (such as a storage service that the vendor uses), but
        without the credentials.

        Raises:
            Retriable: if the connection is lost, or the target of the redirect has expired.
            Exception: what ``error_for`` returns for an error response of the API itself.
        """
        with self._throttle.request(urgent=request.urgent):
            yield from self._download(request)

    def _download(self, request: Request) -> Iterator[bytes]:
        exchange = self._new_exchange(request)
        target = self._url
        try:
            with self._send(request, exchange) as response:
                location = response.headers.get("Location")
                if not (response.is_redirect and location):
                    self._check_status(response, request, exchange)
                    exchange.require_rate()
                    yield from read_pieces(response, exchange)
                    return
            target = "the redirect's target"  # the URL of a storage contains a signature
            with self._redirects.follow(
                response.url, location, exchange, self._timeout_s
            ) as stored:
                if stored.status_code != requests.codes.ok:
                    raise self._retriable(stored, f"{exchange.source}: the redirect's target:")
                exchange.require_rate()
                yield from read_pieces(stored, exchange)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise connection_error(error, exchange, target, self._timeout_s) from None

    def path_of(self, href: str) -> str:
        """Return the path and query of a link in a response, for a request to this API's address.

        Raises:
            SyncFailed: if the link leads outside this API.
        """
        return api_path(self._url, href, self._prefixes)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _attempt(self, request: Request, shape: Shape, check: Check, decode: Decode) -> Response:
        with self._body_reader() as reader:
            with self._throttle.request(urgent=request.urgent):
                status, headers, body = self._exchange(request, reader)
            value = decode(body, str(request))
        if not isinstance(value, shape):
            msg = f"{request}: {shape_problem(shape, value)}"
            raise Retriable(msg)
        response = Response(status, headers, value)
        if problem := check(response):
            msg = f"{request}: {problem}"
            raise Retriable(msg)
        return response

    def _body_reader(self) -> BodyReader:
        return BodyReader(self._max_mb, lambda: self._throttle.sleep(0))

    def _exchange(
        self, request: Request, reader: BodyReader | BytesReader
    ) -> tuple[int, Mapping[str, str], bytes]:
        exchange = self._new_exchange(request)
        try:
            with self._send(request, exchange) as response:
                self._check_status(response, request, exchange)
                return response.status_code, response.headers, reader.read(response, exchange)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            timeout_s = self._timeout_of(request)
            raise connection_error(error, exchange, self._url, timeout_s) from None

    def _new_exchange(self, request: Request) -> Exchange:
        seconds = request.timeout_s or RESPONSE_TIMEOUTS * self._timeout_s
        return Exchange(str(request), seconds, peers=self._peers)

    def _send(self, request: Request, exchange: Exchange) -> requests.Response:
        with exchanging(exchange):
            return self._session.request(
                request.method,
                self._url + request.path,
                params=request.params,
                json=request.body,
                data=request.form,
                headers=request.headers,
                auth=self._auth,
                timeout=self._timeout_of(request),
                stream=True,
            )

    def _timeout_of(self, request: Request) -> float:
        return request.timeout_s or self._timeout_s

    def _check_status(
        self, response: requests.Response, request: Request, exchange: Exchange
    ) -> None:
        self.unreachable = ""
        status = response.status_code
        if status in request.statuses:
            return
        detail = error_detail(response, exchange)
        if status in RETRIABLE_STATUS or status >= 500:
            raise self._retriable(response, f"{request}:")
        if status >= 300 and status != NOT_MODIFIED:
            error = ErrorResponse(status, str(request), detail, response.headers)
            raise self._error_for(error)
        expected = " or ".join(map(str, sorted(request.statuses)))
        msg = f"{request}: HTTP {status}, expected HTTP {expected}"
        raise Retriable(msg)

    def _retriable(self, response: requests.Response, prefix: str) -> Retriable:
        """Return the error for a response to retry; if it asks for a pause, all requests pause."""
        retry_after = retry_after_s(response.headers.get("Retry-After"))
        if retry_after:
            self._throttle.pause_for(min(retry_after, MAX_REQUEST_S))
        wait = f", the server asks to wait {retry_after:.0f} s" if retry_after else ""
        msg = f"{prefix} HTTP {response.status_code}{wait}"
        return Retriable(msg, retry_after=retry_after)
