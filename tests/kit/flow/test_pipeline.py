"""The pipeline does tasks concurrently and returns results in order, as if one by one."""

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_kit.errors import Interrupted, Retriable, SyncFailed
from tap_kit.flow.pipeline import Pipeline

from tests.kit.pipelines import LONG_S, Gates, busy_workers, no_heartbeat, results, until_error


@pytest.fixture(autouse=True)
def _no_thread_survives() -> Iterator[None]:
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("fetch-"):
            thread.join(5)
            assert not thread.is_alive(), thread


@given(
    durations_ms=st.lists(st.integers(0, 3), max_size=25),
    workers=st.integers(1, 8),
)
def test_results_come_in_plan_order(durations_ms: list[int], workers: int) -> None:
    def work(task: tuple[int, int]) -> int:
        threading.Event().wait(task[1] / 1000)
        return task[0]

    pipeline = Pipeline(iter(list(enumerate(durations_ms))), work, workers=workers)
    assert list(results(pipeline)) == list(range(len(durations_ms)))


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_all_workers_are_busy_and_never_more(workers: int) -> None:
    together = threading.Barrier(workers)
    lock, busy, most = threading.Lock(), 0, 0

    def work(task: int) -> int:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        together.wait(LONG_S)  # opens when all workers have arrived
        with lock:
            busy -= 1
        return task

    pipeline = Pipeline(iter(range(6 * workers)), work, workers=workers)
    assert list(results(pipeline)) == list(range(6 * workers))
    assert most == workers


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_plan_is_pulled_only_as_far_as_needed(workers: int) -> None:
    pulled = 0

    def plan() -> Iterator[int]:
        nonlocal pulled
        for task in range(200):
            pulled = task + 1
            yield task

    pipeline = Pipeline(plan(), lambda task: task, workers=workers)
    assert pulled == 0, "nothing is pulled before the first call"
    ahead = []
    for taken, _ in enumerate(results(pipeline), 1):
        ahead.append(pulled - taken)
    assert max(ahead) <= 2 * workers
    assert pulled == 200


def test_slow_consumer_limits_what_is_read_ahead() -> None:
    gates = Gates(100)
    gates.open(*range(100))
    pipeline = Pipeline(iter(range(100)), gates.work, workers=3)
    assert pipeline.head == 0
    gates.reached(0, 1, 2, 3, 4, 5)
    assert sorted(gates.started) == [0, 1, 2, 3, 4, 5]
    assert pipeline.take(no_heartbeat) == 0
    gates.reached(6)
    assert max(gates.started) == 6
    pipeline.close()


def test_error_is_raised_in_its_place_and_no_later_task_starts() -> None:
    gates = Gates(20)

    def work(task: int) -> int:
        if task == 1:
            gates.started.append(task)
            msg = "one"
            raise SyncFailed(msg)
        return gates.work(task)

    pipeline = Pipeline(iter(range(20)), work, workers=2)
    assert pipeline.head == 0
    gates.reached(0)
    is_called = threading.Event()

    def open_late(_task: int) -> None:
        is_called.set()  # after half a second, in which the free worker starts no task
        gates.open(*range(20))

    assert pipeline.take(open_late) == 0
    assert is_called.is_set()
    with pytest.raises(SyncFailed, match="one"):
        pipeline.take(no_heartbeat)
    pipeline.close()
    assert busy_workers() == []
    assert sorted(gates.started) == [0, 1]


@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("bad", [0, 1, 5, 9])
def test_results_before_an_error_are_returned(workers: int, bad: int) -> None:
    def work(task: int) -> int:
        if task >= bad:
            raise SyncFailed(str(task))
        return task

    for _ in range(30):
        pipeline = Pipeline(iter(range(10)), work, workers=workers)
        assert until_error(pipeline) == (list(range(bad)), str(bad))


@given(bad=st.sets(st.integers(0, 19), min_size=1), workers=st.integers(1, 8))
def test_first_error_of_the_plan_is_raised(bad: set[int], workers: int) -> None:
    """Whichever fails first in time: two runs with the same errors must end in the same way."""

    def work(task: int) -> int:
        if task in bad:
            raise SyncFailed(str(task))
        return task

    pipeline = Pipeline(iter(range(20)), work, workers=workers)
    assert until_error(pipeline) == (list(range(min(bad))), str(min(bad)))


def test_error_that_is_earlier_in_the_plan_is_raised_even_if_it_occurs_later() -> None:
    later_failed = threading.Event()

    def work(task: int) -> int:
        if task == 0:
            assert later_failed.wait(LONG_S)
        else:
            later_failed.set()
        raise SyncFailed(str(task))

    pipeline = Pipeline(iter(range(2)), work, workers=2)
    for task in (0, 1):
        with pytest.raises(SyncFailed, match=f"^{task}$"):
            pipeline.take(no_heartbeat)
    pipeline.close()


@pytest.mark.parametrize("kind", [Retriable, KeyboardInterrupt, SystemExit, Interrupted])
def test_error_of_any_type_is_raised_once(kind: type[BaseException]) -> None:
    calls = []

    def work(task: int) -> int:
        calls.append(task)
        msg = "from the task"
        raise kind(msg)

    pipeline = Pipeline(iter([7]), work, workers=2)
    with pytest.raises(kind, match="from the task"):
        pipeline.take(no_heartbeat)
    assert calls == [7]
    assert pipeline.head is None


def test_empty_plan_has_no_head_and_no_results() -> None:
    pipeline: Pipeline[int, int] = Pipeline(iter(()), int, workers=4)
    assert pipeline.head is None
    assert list(results(pipeline)) == []


def test_head_is_the_task_of_the_next_result() -> None:
    pipeline = Pipeline(iter("abc"), str.upper, workers=2)
    seen = []
    while (head := pipeline.head) is not None:
        assert pipeline.head == head, "reading the head does not take it"
        seen.append((head, pipeline.take(no_heartbeat)))
    assert seen == [("a", "A"), ("b", "B"), ("c", "C")]


def test_threads_end_with_the_plan() -> None:
    pipeline = Pipeline(iter(range(10)), int, workers=4)
    assert list(results(pipeline)) == list(range(10))
    assert busy_workers() == []


def test_single_task_needs_a_single_thread() -> None:
    names = set()

    def work(task: int) -> int:
        names.add(threading.current_thread().name)
        return task

    assert list(results(Pipeline(iter([1]), work, workers=50))) == [1]
    assert len(names) == 1


def test_heartbeat_gets_the_task_that_the_caller_waits_for() -> None:
    gates = Gates(2)
    calls: list[int] = []

    def heartbeat(task: int) -> None:
        calls.append(task)
        if len(calls) == 2:
            gates.open(0, 1)

    pipeline = Pipeline(iter(range(2)), gates.work, workers=1)
    assert pipeline.take(heartbeat) == 0
    assert calls == [0, 0]
    assert pipeline.take(no_heartbeat) == 10
    pipeline.close()


def test_error_in_the_heartbeat_ends_the_wait() -> None:
    gates = Gates(1)

    def heartbeat(_task: int) -> None:
        msg = "stop"
        raise Interrupted(msg)

    pipeline = Pipeline(iter([0]), gates.work, workers=1)
    with pytest.raises(Interrupted, match="stop"):
        pipeline.take(heartbeat)
    pipeline.close()
    gates.open(0)


def test_closed_pipeline_starts_no_task_and_returns_no_result() -> None:
    gates = Gates(10)
    pipeline = Pipeline(iter(range(10)), gates.work, workers=2)
    assert pipeline.head == 0
    gates.reached(0, 1)
    pipeline.close()
    pipeline.close()
    gates.open(*range(10))
    assert list(results(pipeline)) == []
    with pytest.raises(Interrupted):
        pipeline.take(no_heartbeat)
    assert busy_workers() == []
    assert sorted(gates.started) == [0, 1]


def test_close_ends_the_wait() -> None:
    gates = Gates(1)
    pipeline = Pipeline(iter([0]), gates.work, workers=1)

    def close(_task: int) -> None:
        pipeline.close()

    with pytest.raises(Interrupted):
        pipeline.take(close)
    gates.open(0)


def failing_plan(good: int) -> Iterator[int]:
    yield from range(good)
    msg = "no plan"
    raise SyncFailed(msg)


@pytest.mark.parametrize("good", [0, 1, 5])
@pytest.mark.parametrize("workers", [1, 4])
def test_error_of_the_plan_is_raised_after_the_results_before_it(good: int, workers: int) -> None:
    """Results of tasks that were planned before are returned; none is discarded."""
    pipeline = Pipeline(failing_plan(good), lambda task: task, workers=workers)
    assert until_error(pipeline) == (list(range(good)), "no plan")


def test_no_task_starts_after_an_error_was_raised() -> None:
    """The worker of the failed task must not continue when the error has been taken."""
    for _ in range(50):
        started: list[int] = []

        def work(task: int, started: list[int] = started) -> int:
            started.append(task)
            raise SyncFailed(str(task))

        pipeline = Pipeline(iter(range(9)), work, workers=1)
        with pytest.raises(SyncFailed, match=r"^0$"):
            pipeline.take(no_heartbeat)
        assert pipeline.head is None
        assert started == [0]
