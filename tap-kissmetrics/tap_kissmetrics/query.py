"""How rows of queries are read, in both versions of the API: start, poll, page."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any

from tap_kit.errors import JobFailed, PartitionUnavailable
from tap_kit.flow.tasks import Found, Outcome, Result, Task
from typing_extensions import override

from tap_kissmetrics.client import query_id_of
from tap_kissmetrics.lists.pages import PagedStream
from tap_kissmetrics.lists.pagination import Reading

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence
    from datetime import date

    from tap_kit.jobs.runner import Ids, Job
    from tap_kit.rows.check import Row

    from tap_kissmetrics.client import Finished
    from tap_kissmetrics.lists.pagination import CorePaginator, Page


class QueryStream(PagedStream, abc.ABC):
    """Rows of queries: the first task of a window runs its query, the others read further pages."""

    primary_keys = ("row_id",)

    # What a stream has to say of its queries

    @abc.abstractmethod
    def query(self, task: Task) -> Job:
        """The query of a window, as a job whose result is ``Finished``."""

    @abc.abstractmethod
    def question(self, task: Task) -> Hashable:
        """What is asked: streams that ask the same share one query."""

    @abc.abstractmethod
    def terms(self, task: Task) -> dict[str, str]:
        """What an earlier sync's query has to agree in, to be picked up."""

    @abc.abstractmethod
    def today(self, task: Task) -> date:
        """The day on which the run began, where the windows are counted."""

    @abc.abstractmethod
    def settled_on(self, task: Task) -> date | None:
        """The day after which nothing in the window changes any more; None for never."""

    @abc.abstractmethod
    def rows(self, task: Task, page: Page) -> Iterable[dict[str, Any]]:
        """The rows of a page, without number, key and query."""

    @abc.abstractmethod
    def window_begins(self) -> None:
        """The keys of another window are about to be made."""

    @abc.abstractmethod
    def key_of(self, row: dict[str, Any]) -> str:
        """The key of the next row of the window, in order."""

    # Fetch

    @override
    def perform(self, task: Task) -> Outcome:
        return self.guarded(lambda: self._unchecked(task))

    def _unchecked(self, task: Task) -> Result:
        found = self.read(task)
        return Result(found, getattr(found, "note", None))  # checked in `finalize`, with its key

    @override
    def read(self, task: Task) -> Sequence[dict[str, Any]]:
        if task.piece is not None:
            try:
                return self._page(task, task.piece)
            except PartitionUnavailable as error:
                msg = f"{task}: its results are there no more: {error}; the next run begins it anew"
                raise JobFailed(msg) from None
        finished = self._run(task)
        try:
            return self._first_page(task, finished)
        except PartitionUnavailable as error:
            self.logger.warning("%s: its results are there no more: %s; run again", task, error)
            self.tap.runs.forget(self.question(task), finished)
            return self._first_page(task, self._run(task, pick_up=False))

    def _first_page(self, task: Task, finished: Finished) -> Found:
        return self._page(task, self.tap.client.pages_of(finished), finished.take_page())

    def _page(self, task: Task, paginator: CorePaginator, page: Page | None = None) -> Found:
        path = paginator.current_value
        page = page or self.tap.client.results(path)
        query_id = query_id_of(path)
        rows = ({**row, "extracted_from": query_id} for row in self.rows(task, page))
        return Found(rows, (paginator, page.facts))

    def _run(self, task: Task, *, pick_up: bool = True) -> Finished:
        """The query's results; two streams that read the same report pay for one run."""

        def begin() -> Finished:
            known = self._known(task) if pick_up else None
            finished: Finished = self.tap.job_runner.run(
                self.query(task),
                task,
                known,
                lambda ids: self._note(task, ids),
                lambda: self.tap.jobs.forget(task),
            )
            return finished

        return self.tap.runs.get(self.question(task), begin)

    # A query shows what the vendor knew when it began. An earlier sync's is good for its own day,
    # and for later days only when its window was settled by then.

    def _note(self, task: Task, ids: Ids) -> None:
        mine = {**self.terms(task), "asked_on": self.today(task).isoformat()}
        self.tap.jobs.note(task, {**mine, **ids})

    def _known(self, task: Task) -> Ids | None:
        known = self.tap.jobs.known(task) or {}
        asked_on, settled_on = known.get("asked_on", ""), self.settled_on(task)
        is_today = asked_on == self.today(task).isoformat()
        is_good = is_today or (settled_on is not None and asked_on > settled_on.isoformat())
        is_good = is_good and "query_id" in known  # a hand may have been in the state
        return known if is_good and self.terms(task).items() <= known.items() else None

    # Emit: keys need the rows before them, so they are made in order.

    @override
    def finalize(self, task: Task, result: Result) -> Sequence[Row]:
        if task.piece is None:
            self._reading = Reading()
            self.window_begins()
        first = self._reading.count + 1
        self._reading.add(result.note[1], task)
        return self.row_check.rows([self._keyed(*row) for row in enumerate(result.rows, first)])

    def _keyed(self, number: int, row: dict[str, Any]) -> dict[str, Any]:
        return {"row_id": self.key_of(row), "row_number": number, **row}

    @override
    def on_window_written(self, task: Task) -> None:
        self._reading.check(task)
        super().on_window_written(task)
        self.tap.jobs.forget_up_to(task)
