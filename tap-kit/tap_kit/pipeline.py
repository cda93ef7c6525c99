"""An ordered, bounded pipeline: tasks are done ahead, side by side, and handed over in order.

    plan ──> [ at most `workers` at a time ] ──> results in plan order

The plan is pulled only as far as needed: `workers` tasks in work and as many more waiting or done.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from concurrent.futures import CancelledError, Future, wait
from typing import TYPE_CHECKING, Generic, TypeVar

from tap_kit.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")
R = TypeVar("R")

_TICK_S = 0.5  # how often a caller that waits is told so


class Pipeline(Generic[T, R]):
    """Does the tasks of ``plan`` with ``work`` and gives the results back in plan order.

    It fails fast: after the first error no further task begins, those before it are still handed
    over, and the error is raised when its own turn comes, as if all had been done one by one.
    The threads are daemons: a run that is interrupted does not wait for a slow server.
    """

    def __init__(self, plan: Iterator[T], work: Callable[[T], R], *, workers: int) -> None:
        self._plan: Iterator[T] | None = plan
        self._work = work
        self._workers = workers
        self._threads = 0
        self._todo: queue.SimpleQueue[tuple[T, Future[R]] | None] = queue.SimpleQueue()
        self._ahead: deque[tuple[T, Future[R]]] = deque()
        self._failed = threading.Event()

    @property
    def head(self) -> T | None:
        """The task whose turn it is; None at the end of the plan."""
        self._fill()
        return self._ahead[0][0] if self._ahead else None

    def take(self, waiting: Callable[[T], None]) -> R:
        """The result of the head, or its error; ``waiting`` is called twice a second till then.

        Raises:
            Interrupted: when the pipeline was closed meanwhile.
            IndexError: at the end of the plan.
        """
        self._fill()
        task, future = self._ahead.popleft()
        while not wait((future,), timeout=_TICK_S).done:
            waiting(task)
        try:
            result = future.result()
        except CancelledError:
            msg = "the run is being stopped"
            raise Interrupted(msg) from None
        self._fill()
        return result

    def close(self) -> None:
        """Begin nothing more; what is in work ends by itself, unheard."""
        self._failed.set()
        self._plan = None
        while self._ahead:
            self._ahead.popleft()[1].cancel()
        for _ in range(self._threads):
            self._todo.put(None)
        self._threads = 0

    def _fill(self) -> None:
        while self._plan is not None and len(self._ahead) < 2 * self._workers:
            if self._failed.is_set():
                self._end_of_plan()
                return
            try:
                task = next(self._plan)
            except StopIteration:
                self._end_of_plan()
                return
            future: Future[R] = Future()
            self._ahead.append((task, future))
            self._todo.put((task, future))
            if self._threads < self._workers:
                self._threads += 1
                name = f"fetch-{self._threads}"
                threading.Thread(target=self._serve, name=name, daemon=True).start()

    def _end_of_plan(self) -> None:
        self._plan = None
        for _ in range(self._threads):
            self._todo.put(None)
        self._threads = 0

    def _serve(self) -> None:
        """One worker: until told to end, do the next task unless something failed before it."""
        while (job := self._todo.get()) is not None:
            task, future = job
            if not future.set_running_or_notify_cancel():
                continue
            if self._failed.is_set():
                future.set_exception(CancelledError())
                continue
            try:
                future.set_result(self._work(task))
            except BaseException as error:  # noqa: BLE001
                self._failed.set()
                future.set_exception(error)
