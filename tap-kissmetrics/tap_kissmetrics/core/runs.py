"""Running a report: run, poll, page [reference, section 4].

POST run -> 202 + Location .../status; status 200 ``{completed: false}`` until 201 ``{completed:
true}`` + Location .../results. Never read before that: an early read answers 200 without rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_kit.errors import PartitionUnavailable, SyncFailed
from tap_kit.jobs.runner import JobState, Poll
from tap_kit.net.http import Request

from tap_kissmetrics.client import Finished, Id, RequestRefused, query_id_of
from tap_kissmetrics.core.directory import is_templated

if TYPE_CHECKING:
    from datetime import datetime

    from tap_kit.jobs.runner import Ids
    from tap_kit.net.http import Api, Response


@dataclass(frozen=True)
class ReportRun:
    """One run of one report over one window, as a job of the kit's. ``end`` is included."""

    api: Api
    product_id: Id | None
    report_id: Id
    start_date: datetime
    end_date: datetime

    def start(self) -> Ids:
        """Run the report; the id of its query.

        Raises:
            PartitionUnavailable: when this report cannot be run, or is there no more.
        """
        path = f"/v2/products/{self.product_id}/reports/{self.report_id}/run"
        window = {
            "start_date": self.start_date.isoformat(timespec="seconds"),
            "end_date": self.end_date.isoformat(timespec="seconds"),
        }
        try:
            answer = self.api.send(Request(path, method="POST", body=window), dict)
        except RequestRefused as error:
            msg = f"the report cannot be run ({error})"
            raise PartitionUnavailable(msg) from None
        return {"query_id": query_id_of(self._place(answer, "query-status"))}

    def poll(self, ids: Ids) -> Poll:
        """Ask how far the query is; done, with the place of its results."""
        query_id = ids["query_id"]
        try:
            answer = self.api.send(Request(f"/v2/queries/{query_id}/status"), dict)
        except PartitionUnavailable:
            return Poll(JobState.GONE, reason="the server no longer knows the query")
        data = answer.value.get("data")
        status = {**answer.value, **data} if isinstance(data, dict) else answer.value
        if status.get("error"):
            return Poll(JobState.FAILED, reason="the server reports an error in the query")
        if status.get("completed") is not True:
            return Poll(JobState.RUNNING)
        try:
            place = self._place(answer, "query-results")
        except SyncFailed:  # neither a header nor a link: the id is enough
            place = f"/v2/queries/{query_id}/results"
        return Poll(JobState.DONE, result=Finished(place))

    def _place(self, answer: Response, rel: str) -> str:
        """Where an answer sends us: its ``Location``, else its link, on the configured host.

        Raises:
            SyncFailed: when it has neither.
        """
        links = (
            link.get("href")
            for link in answer.value.get("links") or []
            if link.get("rel") == rel and not is_templated(link)
        )
        href = answer.headers.get("Location") or next(links, None)
        if not href:
            msg = f"report {self.report_id}: the answer says neither Location nor a link {rel}"
            raise SyncFailed(msg)
        return self.api.path_of(href)
