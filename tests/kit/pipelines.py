"""What the tests of the pipeline share."""

import threading
from collections.abc import Iterator
from typing import Any

from tap_kit.flow.pipeline import Pipeline

LONG_S = 20  # nothing waits that long unless the test has failed


def patiently(_task: object) -> None:
    """A caller that is told to wait, and waits."""


def results(pipeline: Pipeline[Any, Any]) -> Iterator[Any]:
    """All results, as a tap takes them."""
    while pipeline.head is not None:
        yield pipeline.take(patiently)


def until_error(pipeline: Pipeline[Any, Any]) -> tuple[list[Any], str]:
    """The results before the first error, and its text."""
    taken = []
    try:
        for result in results(pipeline):
            taken.append(result)  # noqa: PERF402  (what came before the error counts)
    except ValueError as error:
        pipeline.close()
        return taken, str(error)
    return taken, ""


def busy_workers() -> list[threading.Thread]:
    """The threads of pipelines, after a moment to end for those that are about to."""
    found = [t for t in threading.enumerate() if t.name.startswith("fetch-")]
    for thread in found:
        thread.join(0.05)
    return [thread for thread in found if thread.is_alive()]


class Gates:
    """Work that goes on only when told to, and notes what it was asked to do."""

    def __init__(self, tasks: int) -> None:
        self.begun: list[int] = []
        self._opened = [threading.Event() for _ in range(tasks)]
        self._reached = [threading.Event() for _ in range(tasks)]

    def work(self, task: int) -> int:
        """Ten times the task, when its gate is open."""
        self.begun.append(task)
        self._reached[task].set()
        assert self._opened[task].wait(LONG_S)
        return task * 10

    def open(self, *tasks: int) -> None:
        """Let these tasks end."""
        for task in tasks:
            self._opened[task].set()

    def reached(self, *tasks: int) -> None:
        """Wait until these tasks have begun."""
        for task in tasks:
            assert self._reached[task].wait(LONG_S), f"task {task} does not begin"
