"""What really goes over the wire: bodies, forms, headers, connections."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.exchange import Response, json_response
from sandbox.frame import Frame
from sandbox.server import running
from tap_kit.errors import Retriable, SyncFailed
from tap_kit.net.http import Request
from tap_kit.net.sessions import open_session
from tap_kit.net.throttle import Throttle
from tap_kit.net.wire import shape_problem
from typing_extensions import override

from tests.kit.apis import TOKEN, Reply, client, serving
from tests.kit.net.test_http_secrets import listening

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from sandbox.exchange import Request as Asked


class Echo:
    """Says what it was asked."""

    def __init__(self) -> None:
        self.app = Frame(self._respond)

    async def _respond(self, request: Asked) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0]
        return json_response([request.method, request.target, kind, request.body.decode()])


@pytest.mark.parametrize(
    ("request_", "heard"),
    [
        (Request("/a"), ["GET", "/a", "", ""]),
        (Request("/a", {"b": "c d", "e": ["1", "2"]}), ["GET", "/a?b=c+d&e=1&e=2", "", ""]),
        (Request("/a?x=1", {"b": 2}), ["GET", "/a?x=1&b=2", "", ""]),
        (
            Request("/a", method="POST", body={"b": [1]}),
            ["POST", "/a", "application/json", '{"b": [1]}'],
        ),
        (
            Request("/a", method="POST", form={"b": "c&d", "e": ["1", "2"]}),
            ["POST", "/a", "application/x-www-form-urlencoded", "b=c%26d&e=1&e=2"],
        ),
        (Request("/a", method="DELETE"), ["DELETE", "/a", "", ""]),
    ],
    ids=str,
)
def test_request_is_sent_with_query_and_body(request_: Request, heard: list[str]) -> None:
    with running(Echo().app) as server, client(server.url) as api:
        assert api.send(request_, list).value == heard


def test_request_has_user_agent_accept_and_credentials() -> None:
    with serving(Reply()) as server, client(server.url + "/", user_agent="tap-x/2") as api:
        api.send(Request("/list"), list)
    ((path, headers),) = server.seen
    assert path == "/list"
    assert headers["User-Agent"] == "tap-x/2"
    assert headers["Accept"] == "application/json"
    assert headers["Authorization"] == f"Bearer {TOKEN}"


class Noted(Throttle):
    """Notes in what hurry each request was."""

    def __init__(self) -> None:
        super().__init__(None, threading.Event())
        self.hurries: list[bool] = []

    @override
    def acquire(self, *, urgent: bool = True) -> None:
        self.hurries.append(urgent)


@pytest.mark.parametrize("urgent", [True, False])
def test_urgency_of_a_request_reaches_the_throttle(urgent: bool) -> None:  # noqa: FBT001
    throttle = Noted()
    with serving(Reply()) as server, client(server.url, throttle=throttle) as api:
        api.send(Request("/list", urgent=urgent), list)
        list(api.open(Request("/list", urgent=urgent)))
    assert throttle.hurries == [urgent, urgent]


def test_success_with_a_location_is_a_success() -> None:
    created = Reply(201, b"[1]", {"Location": "http://127.0.0.1:1/elsewhere"})
    with serving(created) as server, client(server.url) as api:
        assert b"".join(api.open(Request("/list"))) == b"[1]"
        assert api.send(Request("/list"), list).value == [1]


@pytest.mark.parametrize("status", [300, 304, 399])
def test_status_of_300_or_more_is_an_error_response(status: int) -> None:
    with serving(Reply(status, b"")) as server, client(server.url) as api:
        for send in (lambda: api.send(Request("/a"), list), lambda: [*api.open(Request("/a"))]):
            with pytest.raises(SyncFailed, match=f"^mapped: GET /a: HTTP {status}$"):
                send()


@contextmanager
def hanging_up() -> Iterator[str]:
    """A server that takes a request and hangs up."""

    def talk(connection: socket.socket) -> None:
        connection.recv(10_000)

    with listening(talk) as (port, _):
        yield f"http://127.0.0.1:{port}"


def test_unreachable_storage_is_reported_without_its_url() -> None:
    """The address of a storage holds a signature that opens the file."""
    away = Reply(302, b"", {"Location": "http://127.0.0.1:1/stored?signature=s3cret"})
    with (
        serving(away) as server,
        client(server.url) as api,
        pytest.raises(Retriable) as caught,
    ):
        list(api.open(Request("/file")))
    assert str(caught.value) == "GET /file: no connection to the redirect's target"


def test_unreachable_api_is_reported_with_its_url() -> None:
    with client("http://127.0.0.1:1") as api, pytest.raises(Retriable) as caught:
        list(api.open(Request("/file")))
    assert str(caught.value) == "GET /file: no connection to http://127.0.0.1:1"


def test_lost_connection_of_a_download_is_retriable() -> None:
    with hanging_up() as url, client(url) as api, pytest.raises(Retriable) as caught:
        list(api.open(Request("/file")))
    assert str(caught.value) == "GET /file: the connection was lost"


@pytest.mark.parametrize("url", ["https://a.example/v1", "http://127.0.0.1:8000"])
def test_session_has_a_connection_for_each_worker(url: str) -> None:
    """With fewer, requests would drop connections and make new ones all the time."""
    with open_session(url, user_agent="x", connections=7) as session:
        adapter: Any = session.get_adapter(url)
        assert adapter.poolmanager.connection_pool_kw["maxsize"] == 7


class Own:
    """A shape that JSON has no word of its own for."""


@pytest.mark.parametrize(
    ("shape", "value", "words"),
    [
        (list, {}, "expected a JSON array, got object"),
        ((list, dict), "x", "expected a JSON array or object, got string"),
        ((dict, type(None)), 1, "expected a JSON object or null, got number"),
        (str, 1.5, "expected a JSON string, got number"),
        (bool, None, "expected a JSON boolean, got null"),
        (Own, True, "expected a JSON object, got boolean"),
        ((Own, list), [], "expected a JSON object or array, got array"),
    ],
)
def test_wrong_shape_is_described_by_its_types(
    shape: type | tuple[type, ...], value: object, words: str
) -> None:
    assert shape_problem(shape, value) == words
