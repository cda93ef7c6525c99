"""The units of work of a run: tasks, and their outcomes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from typing_extensions import TypeVar, override

from tap_kit.errors import JobFailed, PartitionUnavailable

if TYPE_CHECKING:
    from singer_sdk.helpers.types import TapState
    from singer_sdk.streams._state import StreamStateManager

    from tap_kit.flow.windows import Window

Partition = Mapping[str, Any]
"""The context of a partition; empty for a stream that has no partitions."""


class TaskStream(Protocol):
    """What the flow needs from a stream. Each kind of stream has its own kind of task."""

    name: str
    ABORT_AT_RECORD_COUNT: int | None
    one_request_per_task: bool  # no job runs at the vendor, and no file is downloaded

    @property
    def missing_hint(self) -> str:
        """What to check if the vendor knows no partition; empty if that is no error."""

    @property
    def tap_state(self) -> TapState:
        """The state that the run began with."""

    @property
    def partition_list(self) -> list[Partition]:
        """The partitions to read, in order."""

    @property
    def state_manager(self) -> StreamStateManager:
        """The SDK's access to the state of this stream."""

    def get_context_state(self, context: Any, /) -> dict[str, Any]:
        """Return the entry of a partition in the state that is being written."""

    def windows(self, partition: Partition, /) -> Sequence[Window | None]:
        """Return the windows to read of a partition."""

    def tasks(self, partition: Partition, /) -> Iterator[Task]:
        """Return the tasks of a partition in plan order."""

    def perform(self, task: Any, /) -> Outcome:
        """Read one task (in a worker thread)."""

    def follow_ups(self, task: Any, result: Any, /) -> Iterator[Task]:
        """Return the tasks that a result makes necessary."""


@dataclass(frozen=True)
class Task:
    """A unit of work: to read a partition of a stream, or the whole stream."""

    stream: TaskStream
    partition: Partition

    @property
    def window_name(self) -> str:
        """The name of the window in the state."""
        return "all"

    @property
    def context(self) -> dict[str, Any] | None:
        """The partition as the SDK expects it: None for a stream without partitions."""
        return dict(self.partition) or None

    def is_same_window(self, other: Task | None) -> bool:
        """Return whether ``other`` is a part of the same window."""
        return (
            other is not None
            and self.stream is other.stream
            and self.partition == other.partition
            and self.window_name == other.window_name
        )

    @override
    def __str__(self) -> str:
        parts = [f"{key} {value}" for key, value in self.partition.items()]
        return ", ".join([self.stream.name, *parts])


@dataclass(frozen=True)
class WindowTask(Task):
    """A task that reads one window of a partition."""

    window: Window

    @property
    @override
    def window_name(self) -> str:
        return self.window.first.isoformat()

    @override
    def __str__(self) -> str:
        return f"{super().__str__()}, {self.window_name}"


@dataclass(frozen=True)
class Result:
    """The rows of a task, checked against the schema of their stream.

    A stream whose tasks return more than rows has its own subclass.
    """

    rows: Sequence[Any]


Outcome = Result | PartitionUnavailable | JobFailed
"""The result of a task, or an error that ends only its partition or stream."""
TaskT = TypeVar("TaskT", bound=Task, default=Task)
"""The type of a stream's tasks."""
WindowTaskT = TypeVar("WindowTaskT", bound=WindowTask, default=WindowTask)
"""The type of the tasks of a stream with windows."""
ResultT = TypeVar("ResultT", bound=Result, default=Result)
"""The type of the results of a stream's tasks."""
