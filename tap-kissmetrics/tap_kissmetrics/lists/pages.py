"""What lists and results have in common: pages that make further pages known."""

from __future__ import annotations

from abc import ABC
from dataclasses import replace
from typing import TYPE_CHECKING

from tap_kit.streams import KitStream
from typing_extensions import override

from tap_kissmetrics.lists.pagination import Reading, further_pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_kit.flow.tasks import Result, Task

    from tap_kissmetrics.tap import TapKissmetrics


class PagedStream(KitStream, ABC):
    """A stream whose tasks are pages; a result's note is the paginator and the page's facts.

    The first page is a task; it tells of the further ones, which are read ahead when it has a
    total, and one after the other when it has none.
    """

    tap: TapKissmetrics

    def __init__(self, tap: TapKissmetrics) -> None:
        super().__init__(tap)
        self._reading = Reading()

    @override
    def follow_ups(self, task: Task, result: Result) -> Iterator[Task]:
        paginator, facts = result.note
        for page in further_pages(paginator, facts, is_first=task.piece is None):
            yield replace(task, piece=page)
