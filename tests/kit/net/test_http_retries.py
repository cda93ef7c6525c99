"""What is tried again, how often, after which pauses, and with which words it ends."""

import gzip
import time
from email.utils import formatdate
from threading import Event
from typing import Any

import pytest
from sandbox.faults import Fault
from sandbox.kindmetrics import Kindmetrics
from sandbox.server import running
from tap_kit.errors import Interrupted, SyncFailed
from tap_kit.net import http, retries
from tap_kit.net.http import RETRIABLE_STATUS, Request
from tap_kit.net.throttle import Throttle
from typing_extensions import override

from tests.kit.apis import TOKEN, Reply, client, serving

LIST = Request("/list", {"from": "2024-01-01"})
GOOD = Reply(body=b'[{"id": 1}]')
FAULTS = [
    *(Fault(status=status, attempts=1) for status in sorted(RETRIABLE_STATUS)),
    Fault("status", status=503, retry_after=0, attempts=1),
    Fault("reset", attempts=1),
    Fault("reset_body", attempts=1),
    Fault("cut_body", attempts=1),
    Fault("html", attempts=1),
    Fault("html", status=502, attempts=1),
    Fault("wrong_shape", attempts=1),
    Fault("bad_json", attempts=1),
    Fault("wrong_encoding", attempts=1),
    Fault("empty", attempts=1),
    Fault("empty", status=503, attempts=1),
    Fault("stall", wait_ms=2500, attempts=1),
    Fault("slow_body", wait_ms=2500, attempts=1),
]


class Pauses(Throttle):
    """Notes the pauses, and takes none."""

    def __init__(self) -> None:
        super().__init__(None, Event())
        self.taken: list[float] = []

    @override
    def sleep(self, seconds: float) -> None:
        self.taken.append(seconds)

    @override
    def pause_for(self, seconds: float) -> None:
        """Nobody is held, since no time passes."""


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


def failure(url: str, request: Request = LIST, **options: Any) -> str:
    """The one line with which the request ends."""
    with client(url, **options) as api, pytest.raises(SyncFailed) as caught:
        api.send(request, list)
    return str(caught.value)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.kind} {fault.status or ''}")
def test_request_is_retried_after_every_kind_of_fault(fault: Fault, pauses: Pauses) -> None:
    vendor = Kindmetrics(token=TOKEN)
    vendor.faults.append(fault)
    with (
        running(vendor.app) as server,
        client(server.url, timeout_s=1 if fault.wait_ms else 10, throttle=pauses) as api,
    ):
        assert api.send(Request("/api/domains"), list).value == vendor.data.domains
        assert api.send(Request("/api/me"), dict).value == {"email": vendor.data.email}
    assert vendor.log.count == 4
    assert len(pauses.taken) == 2


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.kind} {fault.status or ''}")
def test_fifth_failure_is_one_line_that_names_the_request(fault: Fault, pauses: Pauses) -> None:
    vendor = Kindmetrics(token=TOKEN)
    lasting = {**vars(fault), "attempts": None, "wait_ms": min(fault.wait_ms, 600)}
    vendor.faults.append(Fault(**{k: v for k, v in lasting.items() if not k.startswith("_")}))
    with running(vendor.app) as server:
        timeout_s = 0.2 if fault.wait_ms else 10
        line = failure(server.url, Request("/api/domains"), timeout_s=timeout_s, throttle=pauses)
    assert vendor.log.count == 5
    assert line.startswith("GET /api/domains: ")
    assert line.endswith("; failed after 5 tries")
    assert "\n" not in line
    assert TOKEN not in line


def test_pauses_between_tries_double(pauses: Pauses, caplog: pytest.LogCaptureFixture) -> None:
    with serving(Reply(500)) as server:
        assert failure(server.url, throttle=pauses) == "GET /list: HTTP 500; failed after 5 tries"
    assert pauses.taken == [1, 2, 4, 8]
    assert caplog.messages == [
        f"GET /list: HTTP 500; try {n} of 5 in {pause}.0 s"
        for n, pause in [(2, 1), (3, 2), (4, 4), (5, 8)]
    ]


def test_retry_after_is_a_lower_bound_of_the_pause(pauses: Pauses) -> None:
    asked = ("30", "0", " 11 ", "3")
    replies = [Reply(429, headers={"Retry-After": seconds}) for seconds in asked]
    with serving(*replies, GOOD) as server, client(server.url, throttle=pauses) as api:
        assert api.send(LIST, list).value == [{"id": 1}]
    assert pauses.taken == [30, 2, 11, 8]


@pytest.mark.parametrize("offset_s", [40, 250])
def test_retry_after_can_be_a_date(pauses: Pauses, offset_s: int) -> None:
    when = formatdate(time.time() + offset_s, usegmt=True)
    with (
        serving(Reply(503, headers={"Retry-After": when}), GOOD) as server,
        client(server.url, throttle=pauses) as api,
    ):
        api.send(LIST, list)
    assert offset_s - 10 < pauses.taken[0] <= offset_s


@pytest.mark.parametrize(
    "value", ["", "soon", "1.5", "-3", "Wed, 99 Nov 2026 99:99:99 GMT", "0x10", "²"]
)
def test_invalid_retry_after_is_ignored(pauses: Pauses, value: str) -> None:
    replies = (Reply(429, headers={"Retry-After": value.encode().decode("latin-1")}), GOOD)
    with serving(*replies) as server, client(server.url, throttle=pauses) as api:
        api.send(LIST, list)
    assert pauses.taken == [1]


def test_retry_after_in_the_past_is_ignored(pauses: Pauses) -> None:
    """The server's clock is behind: five tries at once would be the end of the run."""
    past = {"Retry-After": formatdate(time.time() - 100, usegmt=True)}
    with serving(Reply(503, headers=past)) as server:
        failure(server.url, throttle=pauses)
    assert pauses.taken == [1, 2, 4, 8]


@pytest.mark.parametrize("seconds", [301, 3600, 10**12])
def test_retry_after_of_more_than_five_minutes_ends_the_request(
    pauses: Pauses, seconds: int
) -> None:
    with serving(Reply(429, headers={"Retry-After": str(seconds)})) as server:
        line = failure(server.url, throttle=pauses)
        assert len(server.seen) == 1
    expected = f"HTTP 429, the server asks to wait {seconds} s; failed after 1 try"
    assert line == f"GET /list: {expected}"
    assert pauses.taken == []


def test_retry_after_pauses_all_requests() -> None:
    stop = Event()
    throttle = Throttle(None, stop)
    with serving(Reply(429, headers={"Retry-After": "100"})) as server:
        stop.set()
        with client(server.url, throttle=throttle) as api, pytest.raises(Interrupted):
            api.send(LIST, list)
    with pytest.raises(Interrupted):
        throttle.acquire()


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 410])
def test_error_response_is_mapped_once_and_its_redirect_not_followed(
    status: int, pauses: Pauses
) -> None:
    with serving(GOOD) as elsewhere:
        away = {"Location": f"{elsewhere.url}/stolen"}
        with serving(Reply(status, b"", away)) as server:
            line = failure(server.url, throttle=pauses)
            assert line == f"mapped: GET /list: HTTP {status}"
            assert len(server.seen) == 1
        assert elsewhere.seen == []
    assert pauses.taken == []


@pytest.mark.parametrize("cut", [1, 8, 12, 40])
def test_truncated_compression_is_retried(pauses: Pauses, cut: int) -> None:
    whole = gzip.compress(b'[{"id": 1, "name": "%s"}]' % (b"0123456789abcdef" * 20), mtime=0)
    zipped = {"Content-Encoding": "gzip"}
    with (
        serving(Reply(body=whole[:-cut], headers=zipped), Reply(body=whole, headers=zipped)) as s,
        client(s.url, throttle=pauses) as api,
    ):
        assert len(api.send(LIST, list).value) == 1
        assert len(s.seen) in ({1, 2} if cut <= 8 else {2})  # 8 bytes are but the check sum


@pytest.mark.parametrize(
    ("body", "shape", "words"),
    [
        (b"{}", list, "expected a JSON array, got object"),
        (b"[]", dict, "expected a JSON object, got array"),
        (b"null", list, "expected a JSON array, got null"),
        (b'"secret"', dict, "expected a JSON object, got string"),
        (b"17", dict, "expected a JSON object, got number"),
        (b"1.5", list, "expected a JSON array, got number"),
        (b"true", list, "expected a JSON array, got boolean"),
        (b"{}", (list, str), "expected a JSON array or string, got object"),
    ],
)
def test_json_of_another_type_is_retried(
    pauses: Pauses, body: bytes, shape: type | tuple[type, ...], words: str
) -> None:
    with (
        serving(Reply(body=body)) as server,
        client(server.url, throttle=pauses) as api,
        pytest.raises(SyncFailed) as caught,
    ):
        api.send(LIST, shape)
    assert str(caught.value) == f"GET /list: {words}; failed after 5 tries"


def test_body_that_never_ends_is_an_error(pauses: Pauses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_REQUEST_S", 0.1)
    monkeypatch.setattr(retries, "MAX_REQUEST_S", 0.1)
    monkeypatch.setattr(http, "_READ_BYTES", 1)
    with serving(Reply(body=b"[" * 10_000, drip_s=0.01)) as server:
        line = failure(server.url, throttle=pauses)
        assert len(server.seen) == 1
    assert line.startswith("GET /list: the response took longer than")


class StoppedWhenItPauses(Throttle):
    """A throttle whose run is asked to stop as soon as it pauses."""

    @override
    def sleep(self, seconds: float) -> None:
        self._stop.set()
        super().sleep(seconds)


def test_stop_ends_the_pause_between_two_tries() -> None:
    with (
        serving(Reply(500)) as server,
        client(server.url, throttle=StoppedWhenItPauses(None, Event())) as api,
        pytest.raises(Interrupted),
    ):
        api.send(LIST, list)
    assert len(server.seen) == 1


def test_limits_are_those_in_the_docs() -> None:
    assert (retries.TRIES, retries.FIRST_PAUSE_S, retries.MAX_PAUSE_S) == (5, 1, 60)
    assert retries.MAX_REQUEST_S == 300
