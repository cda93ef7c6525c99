"""An ordered, bounded pipeline: workers do tasks ahead; the caller takes results in plan order.

    plan ──> [ at most `workers` at a time ] ──> results in plan order

A result can have follow-ups (the further pages of a list), which come right after it. The plan and
each chain of follow-ups are pulled only as far as needed, so that memory use is constant.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, TypeVar

from tap_kit.errors import Interrupted
from tap_kit.flow.guard import guard
from tap_kit.net.exchange import set_turn, take_memory
from tap_kit.net.retries import working_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")
R = TypeVar("R")

TICK_S = 0.5  # between two heartbeats of a caller that waits
MAX_HELD_BYTES = 1 << 27  # of results that are ready; with more, only the next result is worked on

logger = logging.getLogger(__name__)


class _Entry(Generic[T, R]):
    """A task with its place in the order, and its result."""

    def __init__(self, task: T) -> None:
        self.task = task
        self.is_started = False
        self.future: Future[R] = Future()
        self.is_followed_up = False
        self.memory = 0  # bytes that its result takes, at most

    @classmethod
    def of_error(cls, task: T, error: Exception) -> _Entry[T, R]:
        """Return an entry that has only an error, in place of a result."""
        entry: _Entry[T, R] = cls(task)
        entry.is_started = True
        entry.future.set_exception(error)
        return entry

    @property
    def failed(self) -> bool:
        return self.future.done() and self.future.exception() is not None


class _Source(Generic[T]):
    """Tasks that are not pulled yet; their place in the order is that of the source."""

    def __init__(
        self, tasks: Iterator[T], *, is_plan: bool = False, after: T | None = None
    ) -> None:
        self.tasks = tasks
        self.is_plan = is_plan
        self.last = after  # the task that was pulled last; at first, the one that they follow


def _is_started(item: _Entry[T, R] | _Source[T]) -> bool:
    return isinstance(item, _Entry) and item.is_started


def _matches(item: _Entry[T, R] | _Source[T], condition: Callable[[T], bool]) -> bool:
    if isinstance(item, _Entry):
        return condition(item.task)
    return not item.is_plan and item.last is not None and condition(item.last)


class Pipeline(Generic[T, R]):
    """Does the tasks of ``plan`` with ``work`` and returns the results in plan order.

    ``follow_ups`` returns the tasks that a result makes necessary. The pipeline fails fast: after
    an error no later task starts. Earlier results are still returned, and the error is raised in
    its place, as if the tasks had been done one by one. ``plan`` and ``follow_ups`` run in the
    thread of the caller, ``work`` in daemon threads: an interrupted run does not wait for a slow
    server. Results that wait to be taken hold at most about ``MAX_HELD_BYTES``.
    """

    def __init__(
        self,
        plan: Iterator[T],
        work: Callable[[T], R],
        *,
        workers: int,
        follow_ups: Callable[[T, R], Iterator[T]] = lambda _task, _result: iter(()),
    ) -> None:
        self._work = work
        self._workers = workers
        self._max_threads = workers
        self._follow_ups = follow_ups
        self._threads = 0
        self._order: list[_Entry[T, R] | _Source[T]] = [_Source(plan, is_plan=True)]
        # Two conditions of one lock, so that the end of a task does not wake all threads.
        lock = threading.RLock()
        self._changed = threading.Condition(lock)  # the caller waits for a result
        self._has_tasks = threading.Condition(lock)  # threads wait for a task to start
        self._closed = False
        self._is_result_in_use = False  # from one call of `take` to the next one

    @property
    def head(self) -> T | None:
        """The task whose result comes next; None at the end of the plan."""
        with self._changed:
            self._fill()
            first = self._order[0] if self._order else None
        if isinstance(first, _Entry):
            return first.task
        self.close()
        return None

    def take(self, heartbeat: Callable[[T], None]) -> R:
        """Return the result of the head, or raise its error.

        ``heartbeat`` is called twice a second while it is not done.

        Raises:
            Interrupted: if the pipeline is closed meanwhile.
        """
        self._is_result_in_use = False
        while True:
            with self._changed:
                self._fill()
                head = self._order[0] if self._order else None
                if self._closed or not isinstance(head, _Entry):
                    msg = "the run is being stopped"
                    raise Interrupted(msg)
                if head.future.done():
                    self._order.pop(0)
                    if head.failed:  # it no longer keeps the tasks after it from starting
                        self._order = [item for item in self._order if _is_started(item)]
                    self._is_result_in_use = True
                    self._fill()
                    return head.future.result()
                is_alone = not self._threads and not head.is_started
                head.is_started |= is_alone
                is_changed = is_alone or self._changed.wait(TICK_S)
            if is_alone:  # no thread could be started
                self._do(head)
            elif not is_changed:
                heartbeat(head.task)

    def insert(self, tasks: Iterator[T]) -> None:
        """Do ``tasks`` next, before all others; also after the end of the plan."""
        with self._changed:
            self._closed = False
            self._order.insert(0, _Source(tasks))

    def drop(self, condition: Callable[[T], bool]) -> None:
        """Forget the pulled tasks that meet a condition, with their follow-ups and errors.

        Running tasks finish; their results are discarded. The plan continues.
        """
        with self._changed:
            self._order = [item for item in self._order if not _matches(item, condition)]

    def close(self) -> None:
        """Start no more tasks. Running tasks finish; their results are discarded."""
        with self._changed:
            self._closed = True
            self._order.clear()
            self._changed.notify_all()
            self._has_tasks.notify_all()

    def _fill(self) -> None:
        """Pull as many tasks as there is room for, from the first sources first."""
        self._place_follow_ups()
        for source in [item for item in self._order if isinstance(item, _Source)]:
            self._pull(source)
        self._has_tasks.notify(sum(not _is_started(item) for item in self._order))

    def _place_follow_ups(self) -> None:
        for place, item in reversed(list(enumerate(self._order))):
            if isinstance(item, _Entry) and item.future.done() and not item.is_followed_up:
                item.is_followed_up = True
                if not item.failed:
                    more = self._follow_ups(item.task, item.future.result())
                    self._order.insert(place + 1, _Source(more, after=item.task))

    def _pull(self, source: _Source[T]) -> None:
        place = self._order.index(source)
        entries = [item for item in self._order if isinstance(item, _Entry)]
        before = [item for item in self._order[:place] if isinstance(item, _Entry)]
        if any(item.failed for item in before):
            return
        # Follow-ups have additional room, so that tasks read ahead after them do not block them.
        # However many results are ready after a source, all workers have work before it.
        room = (2 if source.is_plan else 3) * self._workers - len(entries)
        for _ in range(max(room, 2 * self._workers - len(before))):
            try:
                task = next(source.tasks)
            except StopIteration:
                self._order.remove(source)
                return
            except Exception as error:
                if source.last is None:
                    raise
                self._order[place] = _Entry.of_error(source.last, error)
                return
            source.last = task
            self._order.insert(place, _Entry(task))
            place += 1
            self._start_thread()

    def _start_thread(self) -> None:
        if self._threads >= self._max_threads:
            return
        name = f"fetch-{self._threads + 1}"
        try:
            threading.Thread(target=self._serve, name=name, daemon=True).start()
        except RuntimeError:
            self._max_threads = self._threads
            text = "No more threads can be started; reading with %d of them"
            logger.warning(text, self._threads)
        else:
            self._threads += 1

    def _serve(self) -> None:
        """Work in a thread: do the first task that is not started, until the pipeline is closed."""
        while (entry := self._next_task()) is not None:
            self._do(entry)
            del entry  # the memory of its result, while this thread waits

    def _do(self, entry: _Entry[T, R]) -> None:
        result: Future[R] = Future()
        take_memory()
        set_turn(lambda: self._has_turn(entry))
        try:
            with guard(entry.task), working_on(entry.task):
                result.set_result(self._work(entry.task))
        except BaseException as error:  # noqa: BLE001  (raised again by `take`)
            result.set_exception(error)
        finally:
            set_turn(None)
        # With the lock held: its follow-ups must be placed before the caller takes it.
        with self._changed:
            entry.memory = take_memory()
            entry.future = result
            self._changed.notify()

    def _has_turn(self, entry: _Entry[T, R]) -> bool:
        """Return whether nothing in front of an entry takes memory; one that is dropped may end."""
        if self._is_result_in_use:
            return False
        order = self._order[:]
        return entry not in order or order[0] is entry

    def _next_task(self) -> _Entry[T, R] | None:
        with self._changed:
            while not self._closed:
                if (entry := self._startable()) is not None:
                    entry.is_started = True
                    return entry
                self._has_tasks.wait()
            self._threads -= 1
        return None

    def _startable(self) -> _Entry[T, R] | None:
        """Return the first entry that may start now: no task after an error does."""
        held = 0
        for item in self._order:
            if isinstance(item, _Entry):
                if item.failed or held > MAX_HELD_BYTES:
                    return None
                if not item.is_started:
                    return item
                held += item.memory
        return None
