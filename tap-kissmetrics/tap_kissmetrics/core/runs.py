"""Runs of reports: run, poll, page (see docs/reference/kissmetrics.md, section 4).

POST run -> 202 + Location .../status; status 200 ``{completed: false}`` until 201 ``{completed:
true}`` + Location .../results. Results are never read before: an early read is 200 without rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_kit import (
    STARTED,
    JobFailed,
    JobState,
    PartitionUnavailable,
    Poll,
    Request,
    SyncFailed,
    quoted_path,
    resolved_link,
)

from tap_kissmetrics.client import Finished, Id, RequestRefused, query_id_of
from tap_kissmetrics.lists.envelope import (
    Envelope,
    converted,
    error_in,
    problem_of,
    with_envelope,
)

if TYPE_CHECKING:
    from datetime import datetime

    from tap_kit import Api, Ids, Response

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
            PartitionUnavailable: when the report no longer exists.
            JobFailed: when the API does not run it for these days.
        """
        path = quoted_path("/v2/products/{}/reports/{}/run", self.product_id, self.report_id)
        window = {
            "start_date": self.start_date.isoformat(timespec="seconds"),
            "end_date": self.end_date.isoformat(timespec="seconds"),
        }
        request = Request(path, method="POST", body=window, statuses=STARTED)
        try:
            response = self.api.send(request, dict, with_envelope())
        except RequestRefused as error:
            msg = f"the API does not run the report ({error})"
            raise JobFailed(msg) from None
        return {"query_id": query_id_of(self._place(response, path, "query-status"))}

    def poll(self, ids: Ids) -> Poll:
        """Ask for the state of the query; when it is done, with the path of its results."""
        query_id = ids["query_id"]
        try:
            path = quoted_path("/v2/queries/{}/status", query_id)
            response = self.api.send(Request(path, statuses=POLLED), dict, _status_problem)
        except PartitionUnavailable:
            return Poll(JobState.GONE, reason="the server no longer knows the query")
        data = response.value.get("data")
        status = {**response.value, **data} if isinstance(data, dict) else response.value
        if error_in(response.value) or error_in(status) or status.get("cancelled") is True:
            return Poll(JobState.FAILED, reason="the server reports an error in the query")
        if status.get("completed") is not True:
            return Poll(JobState.RUNNING)
        try:
            place = self._place(response, path, "query-results")
        except SyncFailed:  # neither a header nor a link: the id is enough
            place = quoted_path("/v2/queries/{}/results", query_id)
        return Poll(JobState.DONE, result=Finished(place))

    def _place(self, response: Response, path: str, rel: str) -> str:
        """Return where the response to a request for ``path`` leads, on the configured host.

        That is its ``Location``, else its link.

        Raises:
            SyncFailed: when it has neither.
        """
        links = (
            link.href
            for link in converted(response.value, Envelope).links or []
            if link.rel == rel and not link.is_template
        )
        href = response.headers.get("Location") or next(links, None)
        if not href:
            msg = f"report {self.report_id}: the response has neither Location nor a link {rel}"
            raise SyncFailed(msg)
        return self.api.path_of(resolved_link(path, href))


def _status_problem(response: Response) -> str | None:
    return problem_of(response.value, Envelope)
