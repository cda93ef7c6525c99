"""Workers of pytest-xdist that stay on one processor while they run tests in process.

In such a test a tap and its sandbox are threads of one process, and Python runs one at a time. On
several processors they take a fifth more processor time, since each wakes the next one on another.
One worker stays on each processor; further workers use what these leave while they wait.
"""

from __future__ import annotations

import os

# macOS and Windows cannot set them.
ALL = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []


def processors_of(worker: str | None, *, has_processes: bool) -> set[int]:
    """Return the processors for the next test of a worker, such as ``gw0``: one, or all.

    A test that starts a pipeline of processes gets all.
    """
    number = int(worker.removeprefix("gw")) if worker else len(ALL)
    return set(ALL) if has_processes or number >= len(ALL) else {ALL[number]}


def use(processors: set[int]) -> None:
    """Run this thread, and the threads and processes that it starts, on these processors."""
    if processors:
        os.sched_setaffinity(0, processors)
