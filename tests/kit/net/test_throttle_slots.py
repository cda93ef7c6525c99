"""Concurrent requests, and polls that let urgent requests go first."""

from __future__ import annotations

import contextlib
import threading
import time

import pytest
from tap_kit.errors import Interrupted
from tap_kit.net import throttle as module
from tap_kit.net.throttle import Throttle
from typing_extensions import override

LONG_S = 20  # no wait takes that long unless the test fails


def in_thread(work: object) -> threading.Thread:
    """Return a started thread."""
    thread = threading.Thread(target=work, daemon=True)  # type: ignore[arg-type]
    thread.start()
    return thread


def until(holds: object) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + LONG_S
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.002)


@pytest.mark.parametrize("concurrency", [1, 3])
def test_concurrent_requests_are_limited(concurrency: int) -> None:
    throttle = Throttle(None, threading.Event(), concurrency=concurrency)
    busy, most, lock = [0], [0], threading.Lock()

    def send() -> None:
        with throttle.request():
            with lock:
                busy[0] += 1
                most[0] = max(most[0], busy[0])
            time.sleep(0.01)
            with lock:
                busy[0] -= 1

    threads = [in_thread(send) for _ in range(4 * concurrency)]
    for thread in threads:
        thread.join(LONG_S)
    assert most[0] == concurrency
    assert throttle.requests == 4 * concurrency


def test_a_waiting_request_goes_before_one_that_comes_later() -> None:
    """Even if that is of the thread that has just released the slot."""
    throttle = Throttle(None, threading.Event(), concurrency=1)
    sent: list[str] = []

    def send(name: str) -> None:
        with throttle.request():
            sent.append(name)

    for _ in range(3):
        with throttle.request():
            waiting = in_thread(lambda: send("first"))
            until(lambda: throttle.requests % 3 == 2)  # it has passed the budget
            time.sleep(0.1)  # and waits for the slot
        send("second")
        waiting.join(LONG_S)
    assert sent == ["first", "second"] * 3


def test_pause_holds_back_a_request_that_waits_for_its_slot() -> None:
    throttle = Throttle(None, threading.Event(), concurrency=1)
    sent_at: list[float] = []

    def send() -> None:
        with throttle.request():
            sent_at.append(time.monotonic())

    with throttle.request():
        waiting = in_thread(send)
        until(lambda: throttle.requests == 2)  # it has passed the budget
        throttle.pause_for(0.2)
        end = time.monotonic() + 0.15
    waiting.join(LONG_S)
    assert sent_at[0] > end


def test_request_that_gets_its_slot_in_a_stopped_run_is_not_sent() -> None:
    stop = threading.Event()
    throttle = Throttle(None, stop, concurrency=1)
    sent: list[bool] = []

    def send() -> None:
        with contextlib.suppress(Interrupted), throttle.request():
            sent.append(True)

    with throttle.request():
        waiting = in_thread(send)
        until(lambda: throttle.requests == 2)
        time.sleep(0.02)  # it waits for the slot
        stop.set()
    waiting.join(LONG_S)
    assert not sent
    with pytest.raises(Interrupted), throttle.request():
        pass


def test_failed_request_releases_its_slot() -> None:
    throttle = Throttle(None, threading.Event(), concurrency=1)
    for _ in range(3):
        with pytest.raises(ValueError, match="no"), throttle.request():
            raise ValueError("no")  # noqa: EM101
    assert throttle.requests == 3


def test_concurrency_is_unlimited_without_a_limit() -> None:
    throttle = Throttle(None, threading.Event())
    with throttle.request(), throttle.request(), throttle.request():
        assert throttle.requests == 3


def test_stop_ends_the_wait_for_a_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_YIELD_S", 0.005)
    stop = threading.Event()
    throttle = Throttle(None, stop, concurrency=1)
    ended: list[str] = []

    def send() -> None:
        try:
            with throttle.request():
                ended.append("sent")
        except Interrupted as error:
            ended.append(str(error))

    with throttle.request():
        thread = in_thread(send)
        until(lambda: throttle.requests == 2)
        stop.set()
        thread.join(LONG_S)
    assert ended == ["the run is being stopped"]


def test_request_that_is_not_urgent_waits_for_urgent_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """While an urgent request waits, a poll does not use the free budget."""
    monkeypatch.setattr(module, "_YIELD_S", 0.005)
    stop = _Waited()
    throttle = Throttle(1000, stop)
    throttle.pause_for(LONG_S)
    urgent_request = in_thread(lambda: _passed(throttle, urgent=True))
    until(lambda: stop.is_waited_for)
    throttle._resume_at = 0.0  # noqa: SLF001  (the urgent request is still in its wait)
    poll = in_thread(lambda: _passed(throttle, urgent=False))
    poll.join(0.1)
    assert throttle.requests == 0
    stop.set()
    for thread in (urgent_request, poll):
        thread.join(LONG_S)
    assert throttle._urgent_waiting == 0  # noqa: SLF001
    assert throttle.requests == 0


def test_request_that_is_not_urgent_does_not_wait_without_a_budget() -> None:
    throttle = Throttle(None, threading.Event())
    throttle._urgent_waiting = 1  # noqa: SLF001  (as if an urgent request waited)
    throttle.acquire(urgent=False)
    assert throttle.requests == 1


class _Waited(threading.Event):
    """An event that notes that a thread waits for it."""

    is_waited_for = False

    @override
    def wait(self, timeout: float | None = None) -> bool:
        self.is_waited_for = True
        return super().wait(timeout)


def _passed(throttle: Throttle, *, urgent: bool) -> None:
    try:
        throttle.acquire(urgent=urgent)
    except Interrupted:
        return


@pytest.mark.parametrize(("budget", "seconds"), [(None, 0.0), (61, 1.0), (122, 0.5)])
def test_seconds_per_request_follow_from_the_budget(budget: int | None, seconds: float) -> None:
    assert Throttle(budget, threading.Event()).seconds_per_request == seconds


@pytest.mark.parametrize("urgent", [True, False])
def test_interrupted_request_is_not_counted_as_waiting(urgent: bool) -> None:  # noqa: FBT001
    stop = threading.Event()
    throttle = Throttle(1, stop)
    throttle.acquire()
    stop.set()
    with pytest.raises(Interrupted, match=r"^the run is being stopped$"):
        throttle.acquire(urgent=urgent)
    assert (throttle._urgent_waiting, throttle.requests) == (0, 1)  # noqa: SLF001
