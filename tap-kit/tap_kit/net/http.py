"""The HTTP policy of every request: time-outs, retries, ``Retry-After``, one host, no secrets."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import requests
import urllib3
from typing_extensions import override

from tap_kit.errors import KitError, Retriable, SyncFailed
from tap_kit.net.bodies import parse_json
from tap_kit.net.hosts import path_on, url_problem
from tap_kit.net.retries import LONGEST_S, with_retries
from tap_kit.net.sessions import Session, session_to, strip_queries_from_logs
from tap_kit.net.wire import expected, failure, pieces, retry_after_s

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_kit.net.throttle import Throttle

logger = logging.getLogger(__name__)

RETRIABLE_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})
_PIECE = 1 << 20  # bytes of an answer that is read whole
_DRAINED = 1 << 16  # bytes of a refusal's body, which nobody reads

Params = Mapping[str, "str | int | Sequence[str]"]


@dataclass(frozen=True)
class Request:
    """What is asked: a path below the API's address, its query, a body as JSON or as a form.

    One that is not ``urgent`` (a poll) lets the others pass when the budget of requests is short.
    """

    path: str
    params: Params = field(default_factory=dict)
    method: str = "GET"
    body: Mapping[str, Any] | None = None
    form: Params | None = None
    urgent: bool = True
    timeout_s: float | None = None  # where it has less time than the others

    @override
    def __str__(self) -> str:
        return f"{self.method} {self.path.partition('?')[0]}"  # a query can hold a secret filter


class Response(NamedTuple):
    """A success: its status, its headers (any case), its JSON value."""

    status: int
    headers: Mapping[str, str]
    value: Any


@dataclass(frozen=True)
class ErrorResponse:
    """An answer that is neither success nor worth another try: what the vendor's client judges."""

    status: int
    source: str  # the request in words


ErrorMapper = Callable[[ErrorResponse], Exception]
Shape = type | tuple[type, ...]
Decode = Callable[[bytes, str], Any]  # of a body; the request in words
Check = Callable[[Response], "str | None"]  # the problem in words; None for none


class Api:
    """One vendor's API at one address; safe to use from several threads.

    ``auth`` puts the credentials on a request. They are never a default header of the session, so
    that they go nowhere else, and as ``auth`` they also keep a ``.netrc`` from replacing them.
    ``error_for`` turns a status of 3xx or 4xx that no retry cures into the error to raise.
    ``prefixes`` are the paths that belong to the API: a link to another one is refused.
    """

    def __init__(
        self,
        url: str,
        *,
        auth: requests.auth.AuthBase,
        error_for: ErrorMapper,
        throttle: Throttle,
        timeout_s: float,
        user_agent: str,
        connections: int,
        prefixes: tuple[str, ...] = ("/",),
    ) -> None:
        self._url = url.rstrip("/")
        self._prefixes = prefixes
        self._auth = auth
        self._error_for = error_for
        self._throttle = throttle
        self._timeout_s = timeout_s
        strip_queries_from_logs()
        self._session = session_to(self._url, user_agent=user_agent, connections=connections)

    def send(
        self,
        request: Request,
        shape: Shape,
        check: Check = lambda _: None,
        *,
        decode: Decode = parse_json,
    ) -> Response:
        """The answer to ``request``, JSON of a ``shape`` (list, dict) at its top level.

        ``check`` says what is wrong with an answer that is not what was asked for; it is tried
        again like any other that is broken. ``decode`` makes a value of its body.

        Raises:
            SyncFailed: after the last try, in one line that says what failed and why.
            Exception: what ``error_for`` makes of a refusal.
        """
        return with_retries(
            lambda: self._attempt(request, shape, check, decode), self._throttle.sleep
        )

    def send_once(self, request: Request) -> Any:
        """The JSON that a single attempt brings, which waits for no budget: for a run's end."""
        return parse_json(self._exchange(request)[2], str(request))

    def open(self, request: Request) -> Iterator[bytes]:
        """The body of ``request`` in pieces as they arrive; one attempt, see ``streaming.resumed``.

        A redirect is followed to wherever it leads (a storage that the vendor has elsewhere), but
        without the credentials.

        Raises:
            Retriable: when it breaks off, or the place it redirects to has expired.
            Exception: what ``error_for`` makes of a refusal of the API itself.
        """
        with self._throttle.request(urgent=request.urgent):
            yield from self._opened(request)

    def _opened(self, request: Request) -> Iterator[bytes]:
        source, where = str(request), self._url
        try:
            with self._send(request) as response:
                place = response.headers.get("Location")
                if not (response.is_redirect and place):
                    self._check(response, source)
                    yield from pieces(response)
                    return
            where = "the storage"
            with self._fetch_elsewhere(place, source) as response:
                yield from pieces(response)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise failure(error, source, where, self._timeout_s) from None

    def _fetch_elsewhere(self, place: str, source: str) -> requests.Response:
        if url_problem(place.partition("?")[0]):
            msg = f"{source}: redirects to a place that is no https address; refused"
            raise SyncFailed(msg)
        # A session of its own has no credentials; as `auth` it also keeps a .netrc's from it.
        with Session() as session:
            response = session.get(
                place,
                auth=lambda prepared: prepared,
                timeout=self._timeout_s,
                stream=True,
                headers={"User-Agent": str(self._session.headers["User-Agent"])},
            )
        if response.status_code != requests.codes.ok:
            response.close()
            raise self._later(response, f"{source}: the place it redirects to answers")
        return response

    def path_of(self, href: str) -> str:
        """The path and query of a link in an answer, to be asked for at this API's own address.

        Raises:
            SyncFailed: when the link does not lead into this API.
        """
        return path_on(self._url, href, self._prefixes)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _attempt(self, request: Request, shape: Shape, check: Check, decode: Decode) -> Response:
        with self._throttle.request(urgent=request.urgent):
            status, headers, body = self._exchange(request)
        value = decode(body, str(request))
        if not isinstance(value, shape):
            msg = f"{request}: {expected(shape, value)}"
            raise Retriable(msg)
        answer = Response(status, headers, value)
        if problem := check(answer):
            msg = f"{request}: {problem}"
            raise Retriable(msg)
        return answer

    def _exchange(self, request: Request) -> tuple[int, Mapping[str, str], bytes]:
        try:
            with self._send(request) as response:
                self._check(response, str(request))
                return response.status_code, response.headers, _read(response, str(request))
        except KitError:
            raise
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise failure(error, str(request), self._url, self._patience_s(request)) from None

    def _send(self, request: Request) -> requests.Response:
        return self._session.request(
            request.method,
            self._url + request.path,
            params=request.params,
            json=request.body,
            data=request.form,
            auth=self._auth,
            timeout=self._patience_s(request),
            stream=True,
        )

    def _patience_s(self, request: Request) -> float:
        return request.timeout_s or self._timeout_s

    def _check(self, response: requests.Response, source: str) -> None:
        status = response.status_code
        if status >= 300:
            # Heard out, or the next request would begin while the server is still answering.
            response.raw.read(_DRAINED, decode_content=False)
        if status in RETRIABLE_STATUS or status >= 500:
            raise self._later(response, f"{source}:")
        if status >= 300:
            raise self._error_for(ErrorResponse(status, source))

    def _later(self, response: requests.Response, says: str) -> Retriable:
        """The error for an answer that another try may cure; all requests wait as it asks."""
        retry_after = retry_after_s(response.headers.get("Retry-After"))
        if retry_after:
            self._throttle.pause_for(min(retry_after, LONGEST_S))
        asks = f", the server asks to wait {retry_after:.0f} s" if retry_after else ""
        msg = f"{says} HTTP {response.status_code}{asks}"
        return Retriable(msg, retry_after=retry_after)


def _read(response: requests.Response, source: str) -> bytes:
    """The whole body in large pieces; a short one is an error of urllib3's, a slow one ours."""
    deadline = time.monotonic() + LONGEST_S
    pieces = []
    for piece in response.raw.stream(_PIECE, decode_content=True):
        pieces.append(piece)
        if time.monotonic() > deadline:
            msg = f"{source}: the answer took longer than {LONGEST_S:.0f} s"
            raise Retriable(msg)
    return b"".join(pieces)
