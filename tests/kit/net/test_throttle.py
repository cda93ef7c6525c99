"""The rate limit: budget, pauses, stop."""

import threading
import time

import pytest
from tap_kit.errors import Interrupted
from tap_kit.net.throttle import Throttle
from typing_extensions import override

MINUTE = 61.0  # plus a second, because the network can delay requests


class Clock(threading.Event):
    """A stop event that is never set, and whose waits only advance the clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.now = 1_000_000.0
        self.waits: list[float] = []
        monkeypatch.setattr(time, "time", lambda: self.now)
        monkeypatch.setattr(time, "monotonic", lambda: self.now)

    @override
    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.waits.append(timeout)
        self.now += timeout + 0.001  # a real wait is never shorter
        return self.is_set()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def moments(throttle: Throttle, clock: Clock, requests: int) -> list[float]:
    """Return the times at which the requests pass."""
    passed = []
    for _ in range(requests):
        throttle.acquire()
        passed.append(clock.now)
    return passed


def test_request_without_a_budget_does_not_wait(clock: Clock) -> None:
    moments(Throttle(None, clock), clock, 10_000)
    assert clock.waits == []


@pytest.mark.parametrize("budget", [1, 2, 7, 20])
def test_no_minute_has_more_requests_than_the_budget(clock: Clock, budget: int) -> None:
    passed = moments(Throttle(budget, clock), clock, 5 * budget)
    for first, beyond in zip(passed, passed[budget:], strict=False):
        assert beyond - first >= MINUTE - 1e-6
    assert passed[-1] - passed[0] < 4 * MINUTE + 1, "the budget is used completely"


def test_budget_holds_for_any_minute_not_calendar_minutes(clock: Clock) -> None:
    throttle = Throttle(2, clock)
    throttle.acquire()
    clock.now += 50
    throttle.acquire()
    assert clock.waits == []
    throttle.acquire()
    assert sum(clock.waits) == pytest.approx(MINUTE - 50, abs=0.2)
    throttle.acquire()
    assert sum(clock.waits) == pytest.approx(MINUTE, abs=0.4)


def test_pause_holds_every_request(clock: Clock) -> None:
    throttle = Throttle(None, clock)
    throttle.pause_for(7)
    throttle.pause_for(3)
    began = clock.now
    assert moments(throttle, clock, 3) == [pytest.approx(began + 7, abs=0.01)] * 3


def test_pause_and_budget_wait_concurrently(clock: Clock) -> None:
    throttle = Throttle(1, clock)
    began = clock.now
    throttle.acquire()
    throttle.pause_for(20)
    throttle.acquire()
    assert clock.now - began == pytest.approx(MINUTE, abs=0.2)


def test_request_held_by_a_pause_does_not_use_the_budget(clock: Clock) -> None:
    throttle = Throttle(2, clock)
    throttle.pause_for(5)
    began = clock.now
    assert moments(throttle, clock, 2) == [pytest.approx(began + 5, abs=0.01)] * 2


@pytest.mark.parametrize("wait", ["sleep", "hold", "budget"])
def test_stop_ends_every_wait(wait: str) -> None:
    stop = threading.Event()
    throttle = Throttle(1 if wait == "budget" else None, stop)
    if wait == "hold":
        throttle.pause_for(100)
    if wait == "budget":
        throttle.acquire()
    timer = threading.Timer(0.05, stop.set)
    timer.start()
    began = time.monotonic()
    with pytest.raises(Interrupted):
        throttle.sleep(100) if wait == "sleep" else throttle.acquire()
    timer.join()
    assert time.monotonic() - began < 20


def test_no_request_passes_after_a_stop() -> None:
    """Otherwise a worker would start a request whose result is discarded."""
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        Throttle(None, stop).acquire()


def test_sleep_raises_after_a_stop() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        Throttle(None, stop).sleep(100)


def test_budget_is_shared_by_all_threads() -> None:
    stop, passed = threading.Event(), []
    throttle = Throttle(3, stop)

    def send() -> None:
        try:
            throttle.acquire()
        except Interrupted:
            return
        passed.append(1)
        if len(passed) == 3:
            stop.set()

    threads = [threading.Thread(target=send) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(passed) == 3
