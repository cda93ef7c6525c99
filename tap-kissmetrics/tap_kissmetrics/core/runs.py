"""Runs of reports: run, poll, page (see docs/reference/kissmetrics.md, section 4).

POST run -> 202 + Location .../status; status 200 ``{completed: false}`` until 201 ``{completed:
true}`` + Location .../results. Results are never read before: an early read is 200 without rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_kit import JobState, PartitionUnavailable, Poll, Request, SyncFailed

from tap_kissmetrics.client import Finished, Id, RequestRefused, query_id_of
from tap_kissmetrics.lists.pagination import is_templated

if TYPE_CHECKING:
    from datetime import datetime

    from tap_kit import Api, Ids, Response

STARTED = frozenset({200, 201, 202})  # 202 by the documents; what counts is the place of the query
POLLED = frozenset({200, 201})


@dataclass(frozen=True)
class ReportRun:
    """One run of one report over one window, a job of the kit; ``end_date`` is included."""

    api: Api
    product_id: Id | None
    report_id: Id
    start_date: datetime
    end_date: datetime

    def start(self) -> Ids:
        """Run the report; return the id of its query.

        Raises:
            PartitionUnavailable: when the API cannot run this report, or it no longer exists.
        """
        path = f"/v2/products/{self.product_id}/reports/{self.report_id}/run"
        window = {
            "start_date": self.start_date.isoformat(timespec="seconds"),
            "end_date": self.end_date.isoformat(timespec="seconds"),
        }
        try:
            response = self.api.send(
                Request(path, method="POST", body=window, statuses=STARTED), dict
            )
        except RequestRefused as error:
            msg = f"the API cannot run the report ({error})"
            raise PartitionUnavailable(msg) from None
        return {"query_id": query_id_of(self._place(response, "query-status"))}

    def poll(self, ids: Ids) -> Poll:
        """Ask for the state of the query; when it is done, with the path of its results."""
        query_id = ids["query_id"]
        try:
            path = f"/v2/queries/{query_id}/status"
            response = self.api.send(Request(path, statuses=POLLED), dict)
        except PartitionUnavailable:
            return Poll(JobState.GONE, reason="the server no longer knows the query")
        data = response.value.get("data")
        status = {**response.value, **data} if isinstance(data, dict) else response.value
        if status.get("error"):
            return Poll(JobState.FAILED, reason="the server reports an error in the query")
        if status.get("completed") is not True:
            return Poll(JobState.RUNNING)
        try:
            place = self._place(response, "query-results")
        except SyncFailed:  # neither a header nor a link: the id is enough
            place = f"/v2/queries/{query_id}/results"
        return Poll(JobState.DONE, result=Finished(place))

    def _place(self, response: Response, rel: str) -> str:
        """Return where a response leads: its ``Location``, else its link, on the configured host.

        Raises:
            SyncFailed: when it has neither.
        """
        links = (
            link.get("href")
            for link in response.value.get("links") or []
            if link.get("rel") == rel and not is_templated(link)
        )
        href = response.headers.get("Location") or next(links, None)
        if not href:
            msg = f"report {self.report_id}: the response has neither Location nor a link {rel}"
            raise SyncFailed(msg)
        return self.api.path_of(href)
