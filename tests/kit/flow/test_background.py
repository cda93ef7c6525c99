"""Read a slow source in a thread: order, heartbeat, errors, closing."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_kit.errors import Retriable
from tap_kit.flow.background import read_in_background, sleep_with_heartbeat

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from types import FrameType

LONG_S = 20


@pytest.fixture(autouse=True)
def _no_thread_survives() -> Iterator[None]:
    yield
    for thread in threading.enumerate():
        if thread.name == "download":
            thread.join(LONG_S)
            assert not thread.is_alive()


def no_heartbeat() -> None:
    """Do nothing."""


@given(st.lists(st.one_of(st.none(), st.integers(), st.text()), max_size=30))
def test_items_of_any_kind_come_in_order(items: list[object]) -> None:
    assert list(read_in_background((item for item in items), no_heartbeat)) == items


def test_heartbeat_is_called_repeatedly_while_the_source_is_slow() -> None:
    is_called_often = threading.Event()
    calls: list[float] = []

    def source() -> Generator[str, None, None]:
        yield "a"
        assert is_called_often.wait(LONG_S)
        yield "b"

    def heartbeat() -> None:
        calls.append(time.monotonic())
        if len(calls) == 3:
            is_called_often.set()

    assert list(read_in_background(source(), heartbeat)) == ["a", "b"]
    assert len(calls) >= 3


def test_heartbeat_is_not_called_while_the_source_is_fast() -> None:
    calls: list[None] = []
    numbers = (number for number in range(1000))
    assert list(read_in_background(numbers, lambda: calls.append(None))) == [*range(1000)]
    assert len(calls) <= 1  # on a busy machine


def test_error_of_the_source_is_raised_after_its_items() -> None:
    def source() -> Generator[int, None, None]:
        yield 1
        msg = "interrupted"
        raise Retriable(msg, retry_after=7)

    arriving = read_in_background(source(), no_heartbeat)
    assert next(arriving) == 1
    with pytest.raises(Retriable, match="interrupted") as caught:
        next(arriving)
    assert caught.value.retry_after == 7
    assert list(arriving) == []


def test_error_in_the_heartbeat_ends_the_reader_and_then_the_source() -> None:
    is_over, is_closed = threading.Event(), threading.Event()

    def source() -> Generator[int, None, None]:
        try:
            yield 1
            is_over.wait(LONG_S)
            yield 2
        finally:
            is_closed.set()

    def heartbeat() -> None:
        msg = "stop"
        raise KeyboardInterrupt(msg)

    arriving = read_in_background(source(), heartbeat)
    assert next(arriving) == 1
    with pytest.raises(KeyboardInterrupt, match="stop"):
        next(arriving)
    assert not is_closed.is_set()  # the reader does not wait for a server that hangs
    is_over.set()
    assert is_closed.wait(LONG_S)


@pytest.mark.parametrize("taken", [0, 1, 2, 10])
def test_source_is_closed_after_the_reader_is_closed(taken: int) -> None:
    is_closed, made = threading.Event(), []

    def source() -> Generator[int, None, None]:
        try:
            for number in range(1000):
                made.append(number)
                yield number
        finally:
            is_closed.set()

    arriving = read_in_background(source(), no_heartbeat)
    next(arriving)
    for _ in range(taken):
        next(arriving)
    arriving.close()
    assert is_closed.wait(LONG_S)
    assert len(made) <= taken + 6  # the source is never far ahead


def test_source_is_at_most_three_items_ahead() -> None:
    made: list[int] = []

    def source() -> Generator[int, None, None]:
        for number in range(1000):
            made.append(number)
            yield number

    arriving = read_in_background(source(), no_heartbeat)
    next(arriving)
    time.sleep(0.2)
    assert len(made) == 4  # one taken, two in the queue, one that waits for room
    arriving.close()


def test_heartbeat_is_called_twice_a_second_during_a_long_pause() -> None:
    slept: list[float] = []
    calls: list[int] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        time.sleep(seconds)

    sleep_with_heartbeat(sleep, lambda: calls.append(len(slept)))(1.2)
    assert calls == [1, 2]
    assert slept[:2] == [0.5, 0.5]
    assert slept[2] < 0.3


def test_short_pause_has_no_heartbeat() -> None:
    slept: list[float] = []
    for seconds in (0.0, 0.4):
        sleep_with_heartbeat(slept.append, lambda: pytest.fail("heartbeat"))(seconds)
    assert slept == [pytest.approx(0, abs=0.1), pytest.approx(0.4, abs=0.1)]


def test_slow_signal_handler_does_not_block_the_reader() -> None:
    is_over, is_called = threading.Event(), threading.Event()

    def source() -> Generator[int, None, None]:
        is_over.wait(LONG_S)
        yield 1

    def handler(_number: int, _frame: FrameType | None) -> None:
        time.sleep(0.6)  # longer than the rest of the timeout

    def heartbeat() -> None:
        is_called.set()
        is_over.set()

    before = signal.signal(signal.SIGUSR1, handler)
    signals = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGUSR1))
    guard = threading.Timer(5, is_over.set)
    try:
        signals.start()
        guard.start()
        assert list(read_in_background(source(), heartbeat)) == [1]
    finally:
        guard.cancel()
        guard.join()
        signals.join()
        signal.signal(signal.SIGUSR1, before)
    assert is_called.is_set()


def test_source_is_read_without_a_thread_if_none_can_be_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        msg = "can't start new thread"
        raise RuntimeError(msg)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    beats: list[int] = []
    items = read_in_background((item for item in range(3)), lambda: beats.append(1))
    assert list(items) == [0, 1, 2]
    assert len(beats) == 3


def test_reader_is_a_daemon_with_a_name() -> None:
    """A run that is stopped does not wait for it, and a profile shows what it is."""
    items = read_in_background((threading.current_thread() for _ in range(1)), no_heartbeat)
    (reader,) = items
    assert (reader.name, reader.daemon) == ("download", True)
