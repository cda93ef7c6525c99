"""Retries over real connections: what is retried, how often, with which pauses and which end."""

import gzip
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any

import pytest
from sandbox.faults import Fault
from sandbox.kindmetrics import Kindmetrics
from sandbox.server import running
from tap_kit.errors import Interrupted, Retriable, SyncFailed
from tap_kit.net import retries
from tap_kit.net.http import RETRIABLE_STATUS, Request
from tap_kit.net.throttle import Throttle
from typing_extensions import override

from tests.kit.apis import TOKEN, RecordedPauses, Reply, client, serving

LIST = Request("/list", {"from": "2024-01-01"})
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


@pytest.fixture
def throttle() -> RecordedPauses:
    return RecordedPauses()


def failure(url: str, request: Request = LIST, **options: Any) -> str:
    """Return the one line with which a request fails."""
    with client(url, **options) as api, pytest.raises(SyncFailed) as caught:
        api.send(request, list)
    return str(caught.value)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.kind} {fault.status or ''}")
def test_request_is_retried_after_every_kind_of_fault(
    fault: Fault, throttle: RecordedPauses
) -> None:
    vendor = Kindmetrics(token=TOKEN)
    vendor.faults.append(fault)
    with (
        running(vendor.app) as server,
        client(server.url, timeout_s=1 if fault.wait_ms else 10, throttle=throttle) as api,
    ):
        assert api.send(Request("/api/domains"), list).value == vendor.data.domains
        assert api.send(Request("/api/me"), dict).value == {"email": vendor.data.email}
    assert vendor.log.count == 4
    assert len(throttle.pauses) == 2


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.kind} {fault.status or ''}")
def test_fifth_failure_is_one_line_that_names_the_request(
    fault: Fault, throttle: RecordedPauses
) -> None:
    vendor = Kindmetrics(token=TOKEN)
    lasting = {**vars(fault), "attempts": None, "wait_ms": min(fault.wait_ms, 600)}
    vendor.faults.append(Fault(**{k: v for k, v in lasting.items() if not k.startswith("_")}))
    with running(vendor.app) as server:
        timeout_s = 0.2 if fault.wait_ms else 10
        line = failure(server.url, Request("/api/domains"), timeout_s=timeout_s, throttle=throttle)
    assert vendor.log.count == 5
    assert line.startswith("GET /api/domains: ")
    assert line.endswith("; failed after 5 tries")
    assert "\n" not in line
    assert TOKEN not in line


def test_pauses_between_tries_double(
    throttle: RecordedPauses, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(Reply(500)) as server:
        line = failure(server.url, throttle=throttle)
    assert line == "GET /list: HTTP 500; failed after 5 tries"
    assert throttle.pauses == [1, 2, 4, 8]
    assert caplog.messages == [
        f"GET /list: HTTP 500; try {n} of 5 in {pause}.0 s"
        for n, pause in [(2, 1), (3, 2), (4, 4), (5, 8)]
    ]


def test_error_says_what_to_do_as_long_as_no_response_has_come(throttle: RecordedPauses) -> None:
    with client("http://127.0.0.1:9", throttle=throttle) as api:
        for hint, end in (("use the other one", "; use the other one"), ("", "")):
            api.unreachable = hint
            with pytest.raises(SyncFailed) as caught:
                api.send(LIST, list)
            gone = "no connection to http://127.0.0.1:9; failed after 5 tries"
            assert str(caught.value) == f"GET /list: {gone}{end}"
    with serving(Reply(500)) as server, client(server.url, throttle=throttle) as api:
        api.unreachable = "use the other one"
        with pytest.raises(SyncFailed, match=r"HTTP 500; failed after 5 tries$"):
            api.send(LIST, list)


@pytest.mark.parametrize("cut", [1, 8, 12, 40])
def test_truncated_compression_is_retried(throttle: RecordedPauses, cut: int) -> None:
    whole = gzip.compress(b'[{"id": 1, "name": "%s"}]' % (b"0123456789abcdef" * 20), mtime=0)
    zipped = {"Content-Encoding": "gzip"}
    with (
        serving(Reply(body=whole[:-cut], headers=zipped), Reply(body=whole, headers=zipped)) as s,
        client(s.url, throttle=throttle) as api,
    ):
        assert len(api.send(LIST, list).value) == 1
        assert len(s.seen) in ({1, 2} if cut <= 8 else {2})  # the last 8 bytes are a checksum


def test_body_that_never_ends_is_an_error(
    throttle: RecordedPauses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "MAX_REQUEST_S", 0.1)
    with serving(Reply(body=b"[" * 10_000, drip_s=0.01)) as server:
        line = failure(server.url, throttle=throttle, timeout_s=0.05)
        assert len(server.seen) == 1
    assert line.startswith("GET /list: the response took longer than")


class StoppedWhenItPauses(Throttle):
    """A throttle whose run is stopped as soon as it pauses."""

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


def test_failure_of_several_workers_is_one_line_with_the_window(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failing = retries.FailingRequests()
    paused, go_on = Barrier(3), Event()

    def work(number: int) -> None:
        tries = 0

        def attempt() -> int:
            nonlocal tries
            tries += 1
            if tries == 1:
                problem = "GET /list: HTTP 503"
                raise Retriable(problem)
            return number

        def sleep(_: float) -> None:
            paused.wait(timeout=5)
            go_on.wait(timeout=5)

        with retries.working_on(f"pages, 2024-02-0{number}"):
            assert retries.with_retries(attempt, sleep, failing) == number

    with ThreadPoolExecutor(3) as pool:
        done = [pool.submit(work, number) for number in (1, 2, 3)]
        go_on.set()
        for future in done:
            future.result()
    (line,) = caplog.messages
    start, end = "GET /list: HTTP 503 (pages, 2024-02-0", "); try 2 of 5 in 1.0 s"
    assert line.startswith(start)
    assert line.endswith(end)


def test_failure_is_reported_again_when_its_request_has_ended() -> None:
    failing = retries.FailingRequests()
    first, second = object(), object()
    assert failing.is_first("HTTP 503", 2, first)
    assert failing.is_first("HTTP 503", 3, first)
    assert not failing.is_first("HTTP 503", 2, second)
    assert not failing.is_first("HTTP 503", 3, second)
    assert failing.is_first("HTTP 503", 4, second)
    assert failing.is_first("HTTP 500", 2, first)
    failing.forget(second)
    assert failing.is_first("HTTP 503", 2, first)
    assert not failing.is_first("HTTP 500", 2, second)


def test_last_try_names_the_window() -> None:
    with retries.working_on("pages, 2024-02-01"):
        error = retries.no_retries_left(Retriable("GET /list: HTTP 503"), 5)
    assert str(error) == "GET /list: HTTP 503 (pages, 2024-02-01); failed after 5 tries"
