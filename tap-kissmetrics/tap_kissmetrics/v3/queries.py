"""Queries of version 3 (see docs/reference/kissmetrics.md, sections 2.4 and 4).

``POST /queries...`` -> 200 ``{id}``; ``GET /queries/{id}`` is status and results in one,
``{completed, data}``; ``DELETE /queries/{id}`` cancels.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_kit import (
    STARTED,
    JobFailed,
    JobState,
    KitError,
    PageInfo,
    PartitionUnavailable,
    Poll,
    Request,
    quoted_path,
)

from tap_kissmetrics.client import Finished, RequestRefused
from tap_kissmetrics.lists.envelope import error_in
from tap_kissmetrics.lists.pagination import Page, first_page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_kit import Api, Ids, Response, Window

_ID = re.compile(r"[\w-]{1,100}")  # it becomes part of a path


@dataclass(frozen=True)
class V3Query:
    """A query as a job of the kit; it is done with the first page of its results."""

    api: Api
    path: str
    body: Mapping[str, Any]
    page_size: int

    def start(self) -> Ids:
        """Start the query; return its id.

        Raises:
            JobFailed: when the server refuses this query.
        """
        request = Request(self.path, method="POST", body=self.body, statuses=STARTED)
        try:
            response = self.api.send(request, dict, _id_problem)
        except RequestRefused as error:
            msg = f"the server refuses the query ({error})"
            raise JobFailed(msg) from None
        return {"query_id": response.value["id"]}

    def poll(self, ids: Ids) -> Poll:
        """Ask for the state of the query, and for its first page in case it is done."""
        first = first_page(quoted_path("/queries/{}", ids["query_id"]), self.page_size)
        try:
            response = self.api.send(Request(first, urgent=False), dict, _status_problem)
        except PartitionUnavailable:
            return Poll(JobState.GONE, reason="the server no longer knows the query")
        if error_in(response.value) or response.value.get("cancelled") is True:
            return Poll(JobState.FAILED, reason="the server reports an error in the query")
        if response.value.get("completed") is not True:
            return Poll(JobState.RUNNING)
        return Poll(JobState.DONE, result=Finished.with_page(first, page_in(response)))

    def cancel(self, ids: Ids, timeout_s: float) -> bool:
        """Cancel the query; return whether the server confirms it, or no longer knows it."""
        path = quoted_path("/queries/{}", ids["query_id"])
        try:
            request = Request(path, method="DELETE", timeout_s=timeout_s)
            response = self.api.send_once(request)
        except PartitionUnavailable as error:
            return error.status == 404
        except KitError:
            return False
        return isinstance(response, dict) and response.get("cancelled") is True


def page_in(response: Response) -> Page:
    """Return the page of results in the response about a query that is completed."""
    rows = response.value["data"]
    return Page(rows, PageInfo.of(rows))


def results_problem(response: Response) -> str | None:
    """Return what is wrong with a page of results, which is read after the query is completed."""
    if response.value.get("completed", True) is not True:
        return "the query was completed before and no longer is"
    return error_in(response.value) or _status_problem(response)


def _status_problem(response: Response) -> str | None:
    if response.value.get("completed") is not True:
        return None if "completed" in response.value else "expected a query: {completed, data}"
    rows = response.value.get("data")
    fits = isinstance(rows, list) and all(isinstance(row, (list, dict)) for row in rows)
    return None if fits else "expected rows: lists or objects"


def _id_problem(response: Response) -> str | None:
    query_id = response.value.get("id")
    fits = isinstance(query_id, str) and _ID.fullmatch(query_id)
    return None if fits else "expected the id of a query"


def date_range(window: Window) -> dict[str, str]:
    """Return the days of a window, both included, as version 3 has them."""
    first, last = window.first.isoformat(), window.last.isoformat()
    if first == last:
        return {"type": "on", "date": first}
    return {"type": "between", "date": f"{first}/{last}"}
