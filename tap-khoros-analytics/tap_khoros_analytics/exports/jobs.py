"""The start and the poll of one export: see docs/reference/khoros.md, section 3."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from tap_kit import JobFailed, JobState, PartitionUnavailable, Poll, Request

from tap_khoros_analytics.client import FORBIDDEN, UNSUPPORTED_MEDIA_TYPE, RequestRejected

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from tap_kit import Ids, Params, Response

    from tap_khoros_analytics.client import Client
    from tap_khoros_analytics.exports.definitions import Export

logger = logging.getLogger(__name__)

StartMethod = Literal["GET", "POST", "POST JSON"]


@dataclass(frozen=True)
class StartRules:
    """How the server accepts the start of each export, as far as it is not as documented.

    The rules come from the settings and from errors. All jobs of a run, in several threads, share
    them, so that each error occurs once.
    """

    methods: dict[str, StartMethod] = field(default_factory=dict)
    without_columns: set[str] = field(default_factory=set)  # exports that reject reportMetrics


@dataclass(frozen=True)
class FinishedExport:
    """An export whose rows can be downloaded."""

    client: Client
    ids: Ids
    token: str | None = field(repr=False)

    def download(self) -> Generator[bytes, None, None]:
        """Return the body in pieces, as they arrive; in one attempt."""
        return self.client.download(self.ids, self.token)


@dataclass
class ExportJob:
    """One export of one window, as a job for the kit; its result is a ``FinishedExport``."""

    client: Client
    export: Export
    params: Params
    rules: StartRules
    token: str | None = field(default=None, repr=False)

    def start(self) -> Ids:
        """Start the export; return its ids.

        Raises:
            PartitionUnavailable: when this user has no access to the export.
            JobFailed: when the server does not start it.
        """
        if self.export.id in self.rules.without_columns:
            self._request_all_columns()
        try:
            envelope = self._started()
        except RequestRejected as error:
            if "reportMetrics" not in self.params:
                raise
            logger.warning("%s with selected columns; requesting all columns", error)
            self._request_all_columns()
            envelope = self._started()
            self.rules.without_columns.add(self.export.id)
        return {**self._ids(envelope), "started_at": datetime.now(timezone.utc).isoformat()}

    def _request_all_columns(self) -> None:
        self.params = {key: value for key, value in self.params.items() if key != "reportMetrics"}

    def _started(self) -> dict[str, Any]:
        """Send the start with the usual method or, if the server rejects it, with the other one."""
        method = self.rules.methods.get(self.export.id, self.export.method)
        try:
            return self.client.start(self._request(method), self._problem)
        except PartitionUnavailable as error:
            if error.status == FORBIDDEN:
                raise
            other = self._other_method(method, error.status)
            logger.info("%s; retrying with %s", error, other)
        envelope = self.client.start(self._request(other), self._problem)
        self.rules.methods[self.export.id] = other
        return envelope

    def _other_method(self, method: StartMethod, status: int | None) -> StartMethod:
        if method == "POST" and status == UNSUPPORTED_MEDIA_TYPE and self.export.in_body:
            # Declared so, but all samples send a form: docs/reference/khoros.md, section 8.9.
            return "POST JSON"
        return "POST" if method == "GET" else "GET"

    def _request(self, method: StartMethod) -> Request:
        path = self.export.path
        if method == "GET" or not self.export.in_body:
            return Request(path, self.params, method=method)
        query = {key: value for key, value in self.params.items() if key == "raiselimit"}
        rest = {key: value for key, value in self.params.items() if key != "raiselimit"}
        if method == "POST JSON":
            return Request(path, query, method="POST", body=rest)
        return Request(path, query, method="POST", form=rest)

    def _problem(self, response: Response) -> str | None:
        """Return why a response to a start is useless; the text of an exception is not useless."""
        result = _unwrapped(response.value.get("result"))
        if isinstance(result, str) or _ids_of(_job_in(result)):
            return None
        status = _short(str(response.value.get("status")))
        return f"expected the ids of the started job, got none (status {status})"

    def _ids(self, envelope: Mapping[str, Any]) -> dict[str, str]:
        result = _unwrapped(envelope.get("result"))
        if isinstance(result, str):  # the server puts the text of an exception here
            msg = f"the server did not start the export: {_short(result)}"
            raise JobFailed(msg)
        job = _job_in(result)
        self._keep_token(job)
        return _ids_of(job)

    def poll(self, ids: Ids) -> Poll:
        """Poll the job: it is done when it is CLOSED, COMPLETED and has a download URL."""
        try:
            envelope = self.client.status(ids, self.token)
        except PartitionUnavailable:
            return Poll(JobState.GONE, reason="the server no longer knows the job")
        result = _unwrapped(envelope.get("result"))
        if not isinstance(result, dict):
            return Poll(JobState.RUNNING)
        state, info = _part(result, "result") or result, _job_in(result)
        self._keep_token(info)
        if state.get("runnerState") != "CLOSED":
            return Poll(JobState.RUNNING)
        detail, has_url = state.get("detail", state.get("details")), bool(info.get("downloadUrl"))
        if detail == "COMPLETED" or (not detail and has_url):
            finished = FinishedExport(self.client, ids, self.token)
            return Poll(JobState.DONE, result=finished) if has_url else Poll(JobState.RUNNING)
        ended_as = _short(str(detail or "unknown"))
        return Poll(JobState.FAILED, reason=f"the vendor's job ended as {ended_as}")

    def _keep_token(self, job: Mapping[str, Any]) -> None:
        """Keep the access token that the vendor puts into the URLs of a job."""
        for name in ("downloadUrl", "statusUrl"):
            query = parse_qs(urlsplit(str(job.get(name) or "")).query)
            if "analyticsAccessToken" in query:
                self.token = query["analyticsAccessToken"][0]
                return


def _unwrapped(result: Any) -> Any:
    """Return a result that is an object, a text, or a list of one of them."""
    if isinstance(result, list):
        result = result[0] if result else None
    return result if isinstance(result, (dict, str)) else {}


def _part(result: Mapping[str, Any], name: str) -> dict[str, Any]:
    part = result.get(name)
    return part if isinstance(part, dict) else {}


def _job_in(result: Mapping[str, Any]) -> Mapping[str, Any]:
    return _part(result, "jobInfo") or result


def _ids_of(job: Mapping[str, Any]) -> dict[str, str]:
    """Return the ids that a response names or has in its status URL; none if it has none."""
    ids = {"workflow_id": job.get("workflowId"), "run_id": job.get("runId")}
    if not all(ids.values()):
        ids = _ids_in(str(job.get("statusUrl") or ""))
    return {name: str(value) for name, value in ids.items()} if all(ids.values()) else {}


def _ids_in(url: str) -> dict[str, str | None]:
    """Return the ids in ``.../report/{workflowId}/{runId}/status``."""
    parts = urlsplit(url).path.split("/")
    if len(parts) < 4 or parts[-1] != "status":
        return {"workflow_id": None, "run_id": None}
    return {"workflow_id": unquote(parts[-3]), "run_id": unquote(parts[-2])}


def _short(text: str) -> str:
    """Return the message of an exception without the class names before it."""
    return " ".join(text.rpartition("Exception: ")[2].split())[:200]
