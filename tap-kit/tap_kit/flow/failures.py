"""The windows of a partition that could not be read, and what follows from them.

A window that fails is not a partition that is refused: the other windows are read, the bookmark
stays before the failed one, and the run ends with exit code 1. A partition is refused as a whole
(403 or 404) if no part of it could be read and each of its windows was refused. Of many windows,
the first ``MAX_FAILED_WINDOWS`` and the last one are evidence enough: a vendor that refuses only
old days does not refuse the last one.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from tap_kit.errors import JobFailed, PartitionUnavailable
from tap_kit.flow.tasks import Partition, Task, TaskStream

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from tap_kit.flow.ahead import ReadAhead
    from tap_kit.flow.windows import Window

MAX_FAILED_WINDOWS = 3  # in a row; the rest of the partition is left for the next run


@dataclass
class PartitionFailures:
    """The failed windows of one partition in this run, and where the run begins in it."""

    is_read: bool = False  # whether a part of the partition was read
    is_over: bool = False  # whether the rest of the partition is left for the next run
    last_window: str = ""  # the name of the last one to read
    _bookmark: str = ""  # the name of the last window that an earlier run read
    _reads_last: bool = False  # whether the last window is read although it is over
    _windows: set[str] = field(default_factory=set)
    _in_a_row: int = 0
    _refusals: list[tuple[Task, PartitionUnavailable]] = field(default_factory=list)
    _has_failed_job: bool = False

    def __bool__(self) -> bool:
        return bool(self._windows)

    def begin(self, windows: Sequence[Window], bookmark: date | None) -> None:
        """Set the windows to read, and the bookmark of an earlier run."""
        if windows:
            self.last_window = windows[-1].first.isoformat()
        self._bookmark = bookmark.isoformat() if bookmark else ""

    def is_read_again(self, task: Task) -> bool:
        """Return whether an earlier run has read the window of ``task``."""
        return task.window_name <= self._bookmark

    def skips(self, task: Task) -> bool:
        """Return whether ``task`` belongs to a window that failed or is left for the next run."""
        if task.window_name in self._windows:
            return True
        return self.is_over and task.window_name != self.window_to_check

    @property
    def window_to_check(self) -> str | None:
        """The window that shows whether the vendor refuses only the windows before it."""
        return self.last_window if self._reads_last else None

    def add(self, task: Task, error: PartitionUnavailable | JobFailed) -> None:
        """Add the failed window of ``task``."""
        self._windows.add(task.window_name)
        self._in_a_row += 1
        if isinstance(error, PartitionUnavailable):
            self._refusals.append((task, error))
        else:
            self._has_failed_job = True
        if self._in_a_row == MAX_FAILED_WINDOWS and not self.is_over:
            self.is_over = True
            self._reads_last = self.is_refused_as_a_whole

    def window_written(self) -> None:
        """Note that a window was written."""
        self._in_a_row = 0

    def take_refusals(self) -> list[tuple[Task, PartitionUnavailable]]:
        """Return the refused windows that are not reported yet."""
        refusals, self._refusals = self._refusals, []
        return refusals

    @property
    def is_refused_as_a_whole(self) -> bool:
        """Whether the vendor refuses the partition and not only some of its windows."""
        return bool(self._refusals) and not self.is_read and not self._has_failed_job


class FailedRun(Protocol):
    """What a run keeps of its failures."""

    failed: list[str]

    @property
    def ahead(self) -> ReadAhead:
        """The tasks that are read ahead."""


class Failures:
    """The failures of one stream, by partition, and the lines that report them."""

    def __init__(self, stream: TaskStream, run: FailedRun, logger: logging.Logger) -> None:
        self._stream = stream
        self._run = run
        self._logger = logger
        self._missing = 0  # partitions that the vendor does not know (404)
        self._of: defaultdict[str, PartitionFailures] = defaultdict(PartitionFailures)

    def of(self, partition: Partition) -> PartitionFailures:
        """Return the windows of a partition that failed so far."""
        return self._of[str(partition)]

    def skip(self, task: Task, error: PartitionUnavailable | JobFailed) -> None:
        """Skip the rest of a window; of its partition if as many windows in a row failed."""
        failures = self.of(task.partition)
        failures.add(task, error)
        if isinstance(error, JobFailed):
            self._log(task, error)
        if not failures.is_over:
            self._run.ahead.drop_window(task)
            return
        self._run.ahead.drop(task, except_window=failures.window_to_check)

    def report_refusals(self, partition: Partition, owner: Partition) -> None:
        """Report what the vendor refuses: the whole partition, or only windows of it.

        A partition that is refused is one warning, however many streams read it.
        """
        failures, whole = self.of(partition), Task(self._stream, partition)
        is_whole, is_missing = failures.is_refused_as_a_whole, False
        for task, error in failures.take_refusals():
            is_missing = is_whole and error.status == HTTPStatus.NOT_FOUND
            if is_whole:
                is_first = self._run.ahead.is_first_refusal(owner, error)
                level = logging.WARNING if is_first else logging.DEBUG
                self._logger.log(level, "%s: skipped: %s", whole, error)
            else:
                self._log(task, error)
        if failures.is_over and not is_whole:
            text = "%s: %d windows in a row failed; the next run reads the rest"
            self._logger.error(text, whole, MAX_FAILED_WINDOWS)
        self._missing += is_missing
        hint = self._stream.missing_hint
        if is_missing and hint and self._missing == len(self._stream.partition_list):
            self._logger.error("%s: %s", self._stream.name, hint)
            self._run.failed.append(self._stream.name)

    def _log(self, task: Task, error: Exception) -> None:
        self._logger.error("%s: failed: %s", task, error)
        self._run.failed.append(str(task))
