"""Values that are made once per run, in the first thread that needs them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from tap_kit.flow.once import Once

LONG_S = 20  # no wait takes that long unless the test fails


def test_value_is_made_once_for_concurrent_threads() -> None:
    once: Once[object] = Once()
    made, together = [], Barrier(8)

    def make() -> object:
        made.append(object())
        return made[-1]

    def send(_number: int) -> object:
        together.wait(LONG_S)
        return once.get("key", make)

    with ThreadPoolExecutor(8) as pool:
        got = set(pool.map(send, range(8)))
    assert got == {made[0]}
    assert len(made) == 1


def test_one_key_does_not_wait_for_another() -> None:
    once: Once[int] = Once()
    started, go_on = Event(), Event()

    def slowly() -> int:
        started.set()
        assert go_on.wait(LONG_S)
        return 1

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(once.get, "slow", slowly)
        assert started.wait(LONG_S)
        assert once.get("quick", lambda: 2) == 2
        go_on.set()
        assert slow.result(LONG_S) == 1


def test_failed_value_is_made_again() -> None:
    once: Once[int] = Once()

    def fail() -> int:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        once.get("key", fail)
    assert once.get("key", lambda: 3) == 3


def test_forgotten_value_is_made_again_once() -> None:
    """Two workers may find the same value outdated; the second must not discard the new value."""
    once: Once[object] = Once()
    old, new = object(), object()
    assert once.get("key", lambda: old) is old
    once.forget("key", old)
    assert once.get("key", lambda: new) is new
    once.forget("key", old)
    assert once.get("key", object) is new
