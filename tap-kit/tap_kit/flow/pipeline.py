"""An ordered, bounded pipeline: tasks are done ahead, side by side, and handed over in order.

    plan ──> [ at most `workers` at a time ] ──> results in plan order

A result can have follow-ups (the further pages of a list): their turn comes right after it. The
plan, and each chain of follow-ups, is pulled only as far as needed, so that memory stays flat.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, TypeVar

from tap_kit.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")
R = TypeVar("R")

TICK_S = 0.5  # how often a caller that waits is told so


class _Entry(Generic[T, R]):
    """A task that has a place in the order, and what became of it."""

    def __init__(self, task: T) -> None:
        self.task = task
        self.begun = False
        self.future: Future[R] = Future()
        self.followed_up = False

    @classmethod
    def of_error(cls, task: T, error: Exception) -> _Entry[T, R]:
        """A place in the order at which only an error is to be had."""
        entry: _Entry[T, R] = cls(task)
        entry.begun = True
        entry.future.set_exception(error)
        return entry

    @property
    def failed(self) -> bool:
        return self.future.done() and self.future.exception() is not None


class _Source(Generic[T]):
    """Tasks that are still to be pulled; their place is where the source stands."""

    def __init__(
        self, tasks: Iterator[T], *, is_plan: bool = False, after: T | None = None
    ) -> None:
        self.tasks = tasks
        self.is_plan = is_plan
        self.last = after  # the task pulled last, or the one that the first one follows


def _has_begun(item: _Entry[T, R] | _Source[T]) -> bool:
    return isinstance(item, _Entry) and item.begun


def _is_of(item: _Entry[T, R] | _Source[T], is_meant: Callable[[T], bool]) -> bool:
    if isinstance(item, _Entry):
        return is_meant(item.task)
    return not item.is_plan and item.last is not None and is_meant(item.last)


class Pipeline(Generic[T, R]):
    """Does the tasks of ``plan`` with ``work`` and gives the results back in plan order.

    ``follow_ups`` gives the tasks that a result makes necessary. It fails fast: after an error no
    task behind it begins, those before it are still handed over, and the error is raised when its
    own turn comes, as if all had been done one by one. ``plan`` and ``follow_ups`` run in the
    thread of the caller, ``work`` in daemon threads: a run that is interrupted does not wait for
    a slow server.
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
        self._follow_ups = follow_ups
        self._threads = 0
        self._order: list[_Entry[T, R] | _Source[T]] = [_Source(plan, is_plan=True)]
        self._changed = threading.Condition()
        self._closed = False

    @property
    def head(self) -> T | None:
        """The task whose turn it is; None at the end of the plan."""
        with self._changed:
            self._fill()
            first = self._order[0] if self._order else None
        if isinstance(first, _Entry):
            return first.task
        self.close()
        return None

    def take(self, waiting: Callable[[T], None]) -> R:
        """The result of the head, or its error; ``waiting`` is called twice a second till then.

        Raises:
            Interrupted: when the pipeline was closed meanwhile.
        """
        while True:
            with self._changed:
                self._fill()
                head = self._order[0] if self._order else None
                if self._closed or not isinstance(head, _Entry):
                    msg = "the run is being stopped"
                    raise Interrupted(msg)
                if head.future.done():
                    self._order.pop(0)
                    if head.failed:  # what is behind it would begin now that it is out of the way
                        self._order = [item for item in self._order if _has_begun(item)]
                    self._fill()
                    return head.future.result()
                heard = self._changed.wait(TICK_S)
            if not heard:
                waiting(head.task)

    def insert(self, tasks: Iterator[T]) -> None:
        """Do ``tasks`` next, before all that was to come; also when nothing more was to come."""
        with self._changed:
            self._closed = False
            self._order.insert(0, _Source(tasks))

    def drop(self, is_meant: Callable[[T], bool]) -> None:
        """Forget the pulled tasks that are meant, with their follow-ups and their errors.

        What is in work of them ends by itself, unheard. The plan is asked for more as before.
        """
        with self._changed:
            self._order = [item for item in self._order if not _is_of(item, is_meant)]

    def close(self) -> None:
        """Begin nothing more; what is in work ends by itself, unheard."""
        with self._changed:
            self._closed = True
            self._order.clear()
            self._changed.notify_all()

    def _fill(self) -> None:
        """Pull as many tasks as there is room for, the first sources first."""
        self._place_follow_ups()
        for source in [item for item in self._order if isinstance(item, _Source)]:
            self._pull(source)
        self._changed.notify_all()

    def _place_follow_ups(self) -> None:
        for place, item in reversed(list(enumerate(self._order))):
            if isinstance(item, _Entry) and item.future.done() and not item.followed_up:
                item.followed_up = True
                if not item.failed:
                    more = self._follow_ups(item.task, item.future.result())
                    self._order.insert(place + 1, _Source(more, after=item.task))

    def _pull(self, source: _Source[T]) -> None:
        place = self._order.index(source)
        entries = [item for item in self._order if isinstance(item, _Entry)]
        in_front = [item for item in self._order[:place] if isinstance(item, _Entry)]
        if any(item.failed for item in in_front):
            return
        # Follow-ups have room of their own: what was read ahead behind them must not hold them up.
        # And whatever lies ready behind a source, there is work for all in front of it.
        room = (2 if source.is_plan else 3) * self._workers - len(entries)
        for _ in range(max(room, 2 * self._workers - len(in_front))):
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
        if self._threads < self._workers:
            self._threads += 1
            name = f"fetch-{self._threads}"
            threading.Thread(target=self._serve, name=name, daemon=True).start()

    def _serve(self) -> None:
        """One worker: do the first task that nobody has begun, until the pipeline is closed."""
        while (entry := self._next_to_do()) is not None:
            result: Future[R] = Future()
            try:
                result.set_result(self._work(entry.task))
            except BaseException as error:  # noqa: BLE001  (raised again where its turn comes)
                result.set_exception(error)
            # Under the lock, as its follow-ups must be placed before anybody takes it.
            with self._changed:
                entry.future = result
                self._changed.notify_all()

    def _next_to_do(self) -> _Entry[T, R] | None:
        with self._changed:
            while not self._closed:
                for item in self._order:
                    if isinstance(item, _Entry):
                        if item.failed:
                            break  # nothing behind an error begins
                        if not item.begun:
                            item.begun = True
                            return item
                self._changed.wait()
            self._threads -= 1
        return None
