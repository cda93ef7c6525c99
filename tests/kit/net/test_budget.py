"""The budget of requests with a simulated clock: no minute ever exceeds it."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_kit.net.throttle import SPAN_S, Throttle

from tests.kit.net.test_throttle import Clock

# A sequence of events: time passes, a request is sent (urgent or a poll), the server asks to wait.
STEPS = st.lists(
    st.tuples(st.just("pass"), st.sampled_from([0.0, 0.3, 1.0, 7.0, 59.9, 61.0, 200.0]))
    | st.tuples(st.sampled_from(["urgent", "poll"]), st.just(0.0))
    | st.tuples(st.just("hold"), st.sampled_from([0.5, 5.0, 90.0])),
    max_size=40,
)


def most_in_a_minute(moments: list[float]) -> int:
    """Return the largest number of requests in any span of 60 seconds."""
    return max(
        (bisect_left(moments, first + 60.0) - place for place, first in enumerate(moments)),
        default=0,
    )


@given(budget=st.integers(1, 6), steps=STEPS)
def test_no_minute_exceeds_the_budget_in_any_sequence(
    budget: int, steps: list[tuple[str, float]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock(patch)
        throttle, moments, held_until = Throttle(budget, clock), [], 0.0
        for kind, seconds in steps:
            if kind == "pass":
                clock.now += seconds
            elif kind == "hold":
                throttle.pause_for(seconds)
                held_until = max(held_until, clock.now + seconds)
            else:
                throttle.acquire(urgent=kind == "urgent")
                moments.append(clock.now)
                assert clock.now >= held_until
    assert most_in_a_minute(moments) <= budget
    assert throttle.requests == len(moments)


@given(budget=st.integers(1, 6), requests=st.integers(0, 30))
def test_budget_is_used_completely(budget: int, requests: int) -> None:
    """Otherwise a throttle that sends nothing would be correct."""
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock(patch)
        throttle, began = Throttle(budget, clock), clock.now
        for _ in range(requests):
            throttle.acquire()
        whole_spans = max(0, requests - 1) // budget
        assert clock.now - began <= whole_spans * (SPAN_S + 0.5)


@given(concurrency=st.integers(1, 3), threads=st.integers(1, 6))
def test_all_requests_of_all_threads_pass(concurrency: int, threads: int) -> None:
    stop = threading.Event()
    throttle, passed = Throttle(1_000_000, stop, concurrency=concurrency), []

    def send() -> None:
        for _ in range(5):
            with throttle.request():
                passed.append(time.monotonic())

    workers = [threading.Thread(target=send) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    assert throttle.requests == len(passed) == 5 * threads
