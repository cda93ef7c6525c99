"""Start and poll of one export [reference, section 3]."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from tap_kit.errors import JobFailed, PartitionUnavailable
from tap_kit.jobs.runner import JobState, Poll
from tap_kit.net.http import Request

from tap_khoros_analytics.client import AccessRefused, MethodRefused, RequestRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_kit.jobs.runner import Ids
    from tap_kit.net.http import Params, Response

    from tap_khoros_analytics.client import Client
    from tap_khoros_analytics.exports.catalogue import Export

logger = logging.getLogger(__name__)

Way = Literal["GET", "POST", "POST JSON"]


@dataclass
class Lessons:
    """What the server taught us of each export, for all jobs of the run (and several threads)."""

    ways: dict[str, Way] = field(default_factory=dict)  # how it is started
    all_columns: set[str] = field(default_factory=set)  # it does not take reportMetrics


@dataclass
class ExportJob:
    """One export over one window, as a job of the kit's."""

    client: Client
    export: Export
    params: Params
    lessons: Lessons
    token: str | None = field(default=None, repr=False)

    def start(self) -> Ids:
        """Start the export; its ids.

        Raises:
            PartitionUnavailable: when the server does not have this export for this user.
            JobFailed: when it does not want to start it.
        """
        if self.export.id in self.lessons.all_columns:
            self._ask_for_all_columns()
        try:
            envelope = self._started()
        except RequestRefused as error:
            if "reportMetrics" not in self.params:
                raise
            logger.warning("%s with chosen columns; asking for all of them", error)
            self._ask_for_all_columns()
            envelope = self._started()
            self.lessons.all_columns.add(self.export.id)
        return {**self._ids(envelope), "started_at": datetime.now(timezone.utc).isoformat()}

    def _ask_for_all_columns(self) -> None:
        self.params = {key: value for key, value in self.params.items() if key != "reportMetrics"}

    def _started(self) -> dict[str, Any]:
        """The answer to the start, by the usual way or, once that is refused, by the other."""
        way = self.lessons.ways.get(self.export.id, self.export.method)
        try:
            return self.client.start(self._request(way), self._problem)
        except AccessRefused as error:
            raise _unavailable(error) from None
        except MethodRefused as error:
            other = self._other_way(way, error.status)
            logger.info("%s; trying %s", error, other)
        try:
            envelope = self.client.start(self._request(other), self._problem)
        except (AccessRefused, MethodRefused) as error:
            raise _unavailable(error) from None
        self.lessons.ways[self.export.id] = other
        return envelope

    def _other_way(self, way: Way, status: int) -> Way:
        if way == "POST" and status == 415 and self.export.in_body:
            return "POST JSON"  # so it is declared; all samples send a form [reference, 8.9]
        return "POST" if way == "GET" else "GET"

    def _request(self, way: Way) -> Request:
        path = self.export.path
        if way == "GET" or not self.export.in_body:
            return Request(path, self.params, method=way)
        in_query = {key: value for key, value in self.params.items() if key == "raiselimit"}
        rest = {key: value for key, value in self.params.items() if key != "raiselimit"}
        if way == "POST JSON":
            return Request(path, in_query, method="POST", body=rest)
        return Request(path, in_query, method="POST", form=rest)

    def _problem(self, answer: Response) -> str | None:
        """What keeps an answer to a start from being one; the text of an exception is none."""
        result = _unwrapped(answer.value.get("result"))
        if isinstance(result, str) or _ids_of(_job_in(result)):
            return None
        status = self.client.redacted(_short(str(answer.value.get("status"))))
        return f"the server started it without saying its ids (status {status})"

    def _ids(self, envelope: Mapping[str, Any]) -> dict[str, str]:
        result = _unwrapped(envelope.get("result"))
        if isinstance(result, str):  # where the server puts the text of an exception
            msg = f"the server did not start it: {self.client.redacted(_short(result))}"
            raise JobFailed(msg)
        job = _job_in(result)
        self._learn_token(job)
        return _ids_of(job)

    def poll(self, ids: Ids) -> Poll:
        """Ask how far it is: ready means CLOSED, COMPLETED and with a download URL."""
        try:
            envelope = self.client.status(ids, self.token)
        except (AccessRefused, MethodRefused):
            return Poll(JobState.GONE, reason="the server no longer knows the job")
        result = _unwrapped(envelope.get("result"))
        if not isinstance(result, dict):
            return Poll(JobState.RUNNING)
        state, info = _part(result, "result") or result, _part(result, "jobInfo") or result
        self._learn_token(info)
        if state.get("runnerState") != "CLOSED":
            return Poll(JobState.RUNNING)
        detail, has_url = state.get("detail", state.get("details")), bool(info.get("downloadUrl"))
        if detail == "COMPLETED" or (not detail and has_url):
            return Poll(JobState.DONE, result=ids) if has_url else Poll(JobState.RUNNING)
        ended_as = self.client.redacted(_short(str(detail or "unknown")))
        return Poll(JobState.FAILED, reason=f"the vendor's job ended as {ended_as}")

    def _learn_token(self, job: Mapping[str, Any]) -> None:
        """Keep the access token that the vendor puts into a job's own addresses."""
        for name in ("downloadUrl", "statusUrl"):
            query = parse_qs(urlsplit(str(job.get(name) or "")).query)
            if "analyticsAccessToken" in query:
                self.token = query["analyticsAccessToken"][0]
                return


def _unavailable(error: Exception) -> PartitionUnavailable:
    return PartitionUnavailable(f"the server does not have it for this user ({error})")


def _unwrapped(result: Any) -> Any:
    """A result that comes as an object, or as a list of one."""
    if isinstance(result, list):
        result = result[0] if result else None
    return result if isinstance(result, (dict, str)) else {}


def _part(result: Mapping[str, Any], name: str) -> dict[str, Any]:
    part = result.get(name)
    return part if isinstance(part, dict) else {}


def _job_in(result: Mapping[str, Any]) -> Mapping[str, Any]:
    return _part(result, "jobInfo") or result


def _ids_of(job: Mapping[str, Any]) -> dict[str, str]:
    """The ids that an answer to a start names, or has in its address; empty where it has none."""
    ids = {"workflow_id": job.get("workflowId"), "run_id": job.get("runId")}
    if not all(ids.values()):
        ids = _ids_in(str(job.get("statusUrl") or ""))
    return {name: str(value) for name, value in ids.items()} if all(ids.values()) else {}


def _ids_in(url: str) -> dict[str, str | None]:
    """The ids in ``.../report/{workflowId}/{runId}/status``."""
    parts = urlsplit(url).path.split("/")
    if len(parts) < 4 or parts[-1] != "status":
        return {"workflow_id": None, "run_id": None}
    return {"workflow_id": unquote(parts[-3]), "run_id": unquote(parts[-2])}


def _short(text: str) -> str:
    """The message of an exception, without the names of its classes in front."""
    return " ".join(text.rpartition("Exception: ")[2].split())[:200]
