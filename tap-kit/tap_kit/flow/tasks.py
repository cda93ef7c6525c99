"""The pieces of a run's work: what is to be read, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from typing_extensions import override

from tap_kit.errors import JobFailed, PartitionUnavailable

if TYPE_CHECKING:
    from tap_kit.flow.windows import Window
    from tap_kit.streams import KitStream

Partition = Mapping[str, Any]


@dataclass(frozen=True)
class Task:
    """One piece of a stream's work: a partition and a window, or what there is of these."""

    stream: KitStream
    partition: Partition | None
    window: Window | None
    piece: Any = None  # which page or part, where a window has several; the stream knows its kind

    def is_same_window(self, other: Task | None) -> bool:
        """Whether ``other`` is another piece of the same window."""
        return (
            other is not None
            and self.stream is other.stream
            and self.partition == other.partition
            and self.window == other.window
        )

    @override
    def __str__(self) -> str:
        of = [f"{key} {value}" for key, value in (self.partition or {}).items()]
        when = [str(self.window.first)] if self.window else []
        return ", ".join([self.stream.name, *of, *when])


class Found(list[Any]):
    """The records of one answer, with a note of what the answer said besides (further pages)."""

    def __init__(self, found: Iterable[Any], note: Any) -> None:
        super().__init__(found)
        self.note = note


class Result(NamedTuple):
    """What a task brought: its rows, and the note that ``read`` left."""

    rows: Sequence[Any]
    note: Any = None


Outcome = Result | PartitionUnavailable | JobFailed
