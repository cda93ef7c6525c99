"""A result can make further tasks necessary, such as the next page."""

import sys
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_kit.errors import SyncFailed
from tap_kit.flow.pipeline import Pipeline

from tests.kit.pipelines import LONG_S, busy_workers, no_heartbeat, results, until_error

Page = tuple[str, int]


class Lists:
    """Lists of pages, whose number of pages is known at the last page only."""

    def __init__(self, lengths: dict[str, int]) -> None:
        self.lengths = lengths

    def pipeline(self, workers: int) -> Pipeline[Page, Page]:
        """Return a pipeline of the pages of all lists, in order."""
        plan = ((name, 1) for name in self.lengths)
        return Pipeline(plan, self.read, workers=workers, follow_ups=self.next_pages)

    def read(self, page: Page) -> Page:
        """Return the page."""
        return page

    def next_pages(self, _page: Page, read: Page) -> Iterator[Page]:
        """Yield the next page, if there is one."""
        name, number = read
        if number < self.lengths[name]:
            yield name, number + 1

    @property
    def in_order(self) -> list[Page]:
        """The pages in the order of reading them one by one."""
        return [(n, page) for n, length in self.lengths.items() for page in range(1, length + 1)]


@given(lengths=st.lists(st.integers(1, 6), max_size=8), workers=st.integers(1, 5))
def test_follow_ups_come_right_after_their_task(lengths: list[int], workers: int) -> None:
    lists = Lists({f"list {i}": length for i, length in enumerate(lengths)})
    assert list(results(lists.pipeline(workers))) == lists.in_order


@pytest.fixture
def _busy_switching() -> Iterator[None]:
    """Switch between threads as often as possible, to provoke races."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("_busy_switching")
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_no_follow_up_is_lost_whenever_its_task_ends(workers: int) -> None:
    """A result can arrive between two checks for follow-ups."""
    lists = Lists({f"list {i}": 3 for i in range(500)})
    assert list(results(lists.pipeline(workers))) == lists.in_order


def test_result_that_arrives_while_the_plan_is_pulled_has_its_follow_ups() -> None:
    """Force the race: the first task ends while the next one is being pulled."""
    started, go = threading.Event(), threading.Event()

    def work(task: str) -> str:
        started.set()
        assert go.wait(20)
        return task

    def planned_slowly() -> Iterator[str]:
        go.set()
        threading.Event().wait(0.1)  # time for the worker to return its result, if it can
        yield from ()

    def more(task: str, _result: str) -> Iterator[str]:
        return iter(["a2"] if task == "a" else [])

    pipeline = Pipeline(iter(["a", "b"]), work, workers=1, follow_ups=more)
    assert pipeline.head == "a"
    assert started.wait(20)
    pipeline.insert(planned_slowly())
    assert [pipeline.take(no_heartbeat), *results(pipeline)] == ["a", "a2", "b"]


def test_follow_ups_and_later_tasks_are_done_concurrently() -> None:
    together = threading.Barrier(2)

    def work(task: str) -> str:
        if task in {"a2", "b"}:
            together.wait(20)
        return task

    def more(task: str, _result: str) -> Iterator[str]:
        return iter(["a2"] if task == "a" else [])

    pipeline = Pipeline(iter("ab"), work, workers=2, follow_ups=more)
    assert list(results(pipeline)) == ["a", "a2", "b"]


def test_chain_of_follow_ups_continues_when_much_is_read_ahead() -> None:
    lists = Lists({"long": 200, **{f"short {i}": 1 for i in range(50)}})
    assert list(results(lists.pipeline(3))) == lists.in_order


def test_follow_ups_are_pulled_only_as_far_as_needed() -> None:
    pulled = 0

    def more(task: int, _result: int) -> Iterator[int]:
        nonlocal pulled
        if task == 0:
            for page in range(1, 100):
                pulled += 1
                yield page

    pipeline = Pipeline(iter([0]), lambda task: task, workers=2, follow_ups=more)
    ahead = []
    for taken, result in enumerate(results(pipeline)):
        assert result == taken
        ahead.append(pulled - taken)
    assert max(ahead) <= 3 * 2
    assert pulled == 99


def test_error_of_a_follow_up_is_raised_before_later_results() -> None:
    def work(task: str) -> str:
        if task == "a2":
            raise SyncFailed(str(task))
        return task

    def more(task: str, _result: str) -> Iterator[str]:
        return iter(["a2", "a3"] if task == "a" else [])

    pipeline = Pipeline(iter("abc"), work, workers=2, follow_ups=more)
    assert until_error(pipeline) == (["a"], "a2")


def test_error_in_a_chain_of_follow_ups_is_raised_after_the_results_before_it() -> None:
    """For example a list that repeats a page: the pages before it are returned."""

    def more(task: str, _result: str) -> Iterator[str]:
        if task == "b":
            yield "b2"
            raise SyncFailed(str(task))

    pipeline = Pipeline(iter("abcde"), lambda task: task, workers=2, follow_ups=more)
    assert until_error(pipeline) == (["a", "b", "b2"], "b")


def test_error_in_making_the_first_follow_up_is_raised_in_its_place() -> None:
    """Even though it occurs while earlier results are not taken yet."""

    def more(task: str, _result: str) -> Iterator[str]:
        if task == "c":
            raise SyncFailed(str(task))
        yield from ()

    pipeline = Pipeline(iter("abcde"), lambda task: task, workers=3, follow_ups=more)
    assert pipeline.head == "a"
    threading.Event().wait(0.05)  # time for the other tasks to be done ahead
    assert until_error(pipeline) == (["a", "b", "c"], "c")


def test_workers_are_daemon_threads() -> None:
    go = threading.Event()
    pipeline = Pipeline(iter("ab"), lambda _: go.wait(20), workers=2)
    assert pipeline.head == "a"
    try:
        assert {thread.daemon for thread in busy_workers()} == {True}
    finally:
        go.set()
        pipeline.close()


def test_inserted_tasks_come_next() -> None:
    pipeline = Pipeline(iter("abc"), str.upper, workers=2)
    assert pipeline.take(no_heartbeat) == "A"
    pipeline.insert(iter("xy"))
    assert list(results(pipeline)) == ["X", "Y", "B", "C"]


def test_results_read_far_ahead_leave_work_for_all_workers_before_them() -> None:
    """The last of four lists is read first and uses all the room for reading ahead.

    The first list must still be read by all workers: its pages need as many concurrent requests as
    there are workers.
    """
    workers, pages = 4, 24
    last_is_ahead, together = threading.Event(), threading.Barrier(workers)

    def read(page: Page) -> Page:
        name, number = page
        if name == "d":
            if number == 2 * workers:
                last_is_ahead.set()
        elif number == 1:
            assert last_is_ahead.wait(LONG_S)
        elif name == "a":
            together.wait(LONG_S)
        return page

    def further(page: Page, _read: Page) -> Iterator[Page]:
        name, number = page
        return ((name, n) for n in range(2, pages + 2)) if number == 1 else iter(())

    plan = ((name, 1) for name in "abcd")
    pipeline = Pipeline(plan, read, workers=workers, follow_ups=further)
    found = list(results(pipeline))
    assert found == [(name, n) for name in "abcd" for n in range(1, pages + 2)]
