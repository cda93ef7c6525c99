"""Helpers for the tests of the pipeline."""

import threading
from collections.abc import Iterator
from typing import Any

from tap_kit.errors import SyncFailed
from tap_kit.flow.pipeline import Pipeline

LONG_S = 20  # no wait takes that long unless the test fails


def no_heartbeat(_task: object) -> None:
    """Do nothing."""


def results(pipeline: Pipeline[Any, Any]) -> Iterator[Any]:
    """Yield all results, as a tap takes them."""
    while pipeline.head is not None:
        yield pipeline.take(no_heartbeat)


def until_error(pipeline: Pipeline[Any, Any]) -> tuple[list[Any], str]:
    """Return the results before the first error, and its text."""
    taken = []
    try:
        for result in results(pipeline):
            taken.append(result)  # noqa: PERF402  (the results before the error count)
    except SyncFailed as error:
        pipeline.close()
        return taken, str(error)
    return taken, ""


def busy_workers() -> list[threading.Thread]:
    """Return the threads of pipelines that do not end within a moment."""
    found = [t for t in threading.enumerate() if t.name.startswith("fetch-")]
    for thread in found:
        thread.join(0.05)
    return [thread for thread in found if thread.is_alive()]


class Gates:
    """Work that waits for its gate, and records the tasks that start."""

    def __init__(self, tasks: int) -> None:
        self.started: list[int] = []
        self._opened = [threading.Event() for _ in range(tasks)]
        self._reached = [threading.Event() for _ in range(tasks)]

    def work(self, task: int) -> int:
        """Wait for the gate of the task; return ten times the task."""
        self.started.append(task)
        self._reached[task].set()
        assert self._opened[task].wait(LONG_S)
        return task * 10

    def open(self, *tasks: int) -> None:
        """Open the gates of these tasks."""
        for task in tasks:
            self._opened[task].set()

    def reached(self, *tasks: int) -> None:
        """Wait until these tasks have started."""
        for task in tasks:
            assert self._reached[task].wait(LONG_S), f"task {task} does not start"
