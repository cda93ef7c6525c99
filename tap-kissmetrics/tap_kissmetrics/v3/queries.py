"""Queries of version 3 [reference, 2.4 and 4].

``POST /queries...`` -> 200 ``{id}``; ``GET /queries/{id}`` is status and results in one,
``{completed, data}``; ``DELETE /queries/{id}`` cancels.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_kit.errors import KitError, PartitionUnavailable
from tap_kit.jobs.runner import JobState, Poll
from tap_kit.net.http import Request

from tap_kissmetrics.client import NOT_FOUND, Finished, RequestRefused
from tap_kissmetrics.lists.pagination import Page, facts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_kit.flow.windows import Window
    from tap_kit.jobs.runner import Ids
    from tap_kit.net.http import Response

    from tap_kissmetrics.v3.client import V3Client

_ID = re.compile(r"[\w-]{1,100}")  # it becomes part of a path


@dataclass(frozen=True)
class V3Query:
    """A query as a job of the kit's, done with the first page of its results."""

    client: V3Client
    path: str
    body: Mapping[str, Any]

    def start(self) -> Ids:
        """Start it; its id.

        Raises:
            PartitionUnavailable: when just this cannot be asked.
        """
        request = Request(self.path, method="POST", body=self.body)
        try:
            answer = self.client.api.send(request, dict, _id_problem)
        except RequestRefused as error:
            msg = f"the server refuses the query ({error})"
            raise PartitionUnavailable(msg) from None
        return {"query_id": answer.value["id"]}

    def poll(self, ids: Ids) -> Poll:
        """Ask how far it is, and for its first page in case that it is done."""
        first = self.client.pages_of(Finished(f"/queries/{ids['query_id']}")).current_value
        try:
            answer = self.client.api.send(Request(first, urgent=False), dict, _status_problem)
        except PartitionUnavailable:
            return Poll(JobState.GONE, reason="the server no longer knows the query")
        if answer.value.get("error"):
            return Poll(JobState.FAILED, reason="the server reports an error in the query")
        if answer.value.get("completed") is not True:
            return Poll(JobState.RUNNING)
        return Poll(JobState.DONE, result=Finished.with_page(first, page_in(answer)))

    def cancel(self, ids: Ids, timeout_s: float) -> bool:
        """Call it off; whether the server says that it did, or does not know it any more."""
        path = f"/queries/{ids['query_id']}"
        try:
            request = Request(path, method="DELETE", timeout_s=timeout_s)
            answer = self.client.api.send_once(request)
        except PartitionUnavailable as error:
            return str(error) == NOT_FOUND
        except KitError:
            return False
        return isinstance(answer, dict) and answer.get("cancelled") is True


def page_in(answer: Response) -> Page:
    """The page of results in the answer about a query that is completed."""
    rows = answer.value["data"]
    return Page(rows, facts_of(rows))


def results_problem(answer: Response) -> str | None:
    """What is wrong with a page of results; they are never read before the query is completed."""
    if answer.value.get("completed", True) is not True:
        return "the query was completed before and is not any more"
    return _status_problem(answer)


def _status_problem(answer: Response) -> str | None:
    if answer.value.get("completed") is not True:
        return None if "completed" in answer.value else "expected a query: {completed, data}"
    rows = answer.value.get("data")
    fits = isinstance(rows, list) and all(isinstance(row, (list, dict)) for row in rows)
    return None if fits else "expected rows: lists or objects"


def _id_problem(answer: Response) -> str | None:
    query_id = answer.value.get("id")
    fits = isinstance(query_id, str) and _ID.fullmatch(query_id)
    return None if fits else "expected the id of a query"


def date_range(window: Window) -> dict[str, str]:
    """The days of a window, both included, as version 3 has them."""
    first, last = window.first.isoformat(), window.last.isoformat()
    if first == last:
        return {"type": "on", "date": first}
    return {"type": "between", "date": f"{first}/{last}"}
