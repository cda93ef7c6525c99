"""The pipeline on a machine with few resources, and with results that take much memory."""

from __future__ import annotations

import threading
import time

import pytest
from tap_kit.flow import pipeline as pipelines
from tap_kit.flow.pipeline import Pipeline
from tap_kit.net.exchange import count_memory, has_turn

from tests.kit.pipelines import LONG_S, no_heartbeat, results


@pytest.mark.parametrize("possible", [0, 1, 2])
def test_pipeline_works_with_the_threads_that_can_be_started(
    possible: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    start = threading.Thread.start
    started: list[threading.Thread] = []

    def start_or_refuse(thread: threading.Thread) -> None:
        if len(started) >= possible:
            msg = "can't start new thread"
            raise RuntimeError(msg)
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_or_refuse)
    pipeline = Pipeline(iter(range(20)), lambda task: task * 10, workers=4)
    assert list(results(pipeline)) == [task * 10 for task in range(20)]
    line = f"No more threads can be started; reading with {possible} of them"
    assert caplog.messages == [line]


def test_no_task_starts_while_the_results_before_it_take_too_much_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pipelines, "MAX_HELD_BYTES", 100)
    started: list[int] = []

    def work(task: int) -> int:
        started.append(task)
        count_memory(60)
        return task

    pipeline = Pipeline(iter(range(9)), work, workers=1)
    assert pipeline.head == 0
    for taken in range(9):
        wait_until_started(started, min(9, taken + 2))
        time.sleep(0.01)
        assert len(started) == min(9, taken + 2), "two results take more than 100 bytes"
        assert pipeline.take(no_heartbeat) == taken
    assert pipeline.head is None


def test_one_result_may_take_more_memory_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipelines, "MAX_HELD_BYTES", 100)

    def work(task: int) -> int:
        count_memory(1000)
        return task

    pipeline = Pipeline(iter(range(9)), work, workers=4)
    assert list(results(pipeline)) == list(range(9))


def wait_until_started(started: list[int], count: int) -> None:
    """Wait until ``count`` tasks are started."""
    end = time.monotonic() + LONG_S
    while len(started) != count:
        assert time.monotonic() < end
        time.sleep(0.001)


def test_only_the_next_task_has_its_turn_and_not_while_a_result_is_in_use() -> None:
    turns: list[int] = []
    gate = threading.Event()

    def work(task: int) -> int:
        while not has_turn():
            gate.wait(0.01)
        turns.append(task)
        return task

    pipeline = Pipeline(iter(range(6)), work, workers=3)
    for number in range(6):
        assert pipeline.head == number
        time.sleep(0.05)
        assert turns == list(range(number or 1))[: number + 1], "the result before is in use"
        assert pipeline.take(no_heartbeat) == number
    assert pipeline.head is None
    assert turns == list(range(6))


def test_task_that_is_dropped_has_its_turn() -> None:
    is_started, ended = threading.Event(), threading.Event()

    def work(task: int) -> int:
        if task == 1:
            is_started.set()
            while not has_turn():
                time.sleep(0.01)
            ended.set()
        return task

    pipeline = Pipeline(iter(range(3)), work, workers=2)
    assert pipeline.head == 0
    assert is_started.wait(5)
    pipeline.drop(lambda task: task == 1)
    assert ended.wait(5)
    pipeline.close()
