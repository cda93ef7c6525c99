"""Start, poll, download of one export [reference, section 3]."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from tap_kit.errors import JobFailed
from tap_kit.jobs import JobState, Poll

from tap_khoros_analytics.client import MethodRefused, RequestRefused, unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_kit.http import Params
    from tap_kit.jobs import Ids

    from tap_khoros_analytics.client import Client
    from tap_khoros_analytics.exports import Export

logger = logging.getLogger(__name__)

DOWNLOADABLE = timedelta(hours=20)  # of the 24 h that the vendor promises


@dataclass
class ExportJob:
    """One export over one window, as a job of the kit's.

    ``methods`` remembers, for all jobs of the run, which method each export takes.
    """

    client: Client
    export: Export
    params: Params
    methods: dict[str, str]
    token: str | None = field(default=None, repr=False)

    def start(self) -> Ids:
        """Start the export; its ids.

        Raises:
            PartitionUnavailable: when the server does not have this export.
            JobFailed: when it does not want to start it.
        """
        try:
            envelope = self._started()
        except RequestRefused as error:
            if "reportMetrics" not in self.params:
                raise JobFailed(str(error)) from None
            logger.warning("%s with chosen columns; asking for all of them", error)
            self.params = {k: v for k, v in self.params.items() if k != "reportMetrics"}
            envelope = self._started()
        return {**self._ids(envelope), "started_at": datetime.now(timezone.utc).isoformat()}

    def _started(self) -> dict[str, Any]:
        """The answer to the start, by the documented method or, once refused, by the other."""
        method = self.methods.get(self.export.id, self.export.method)
        try:
            return self._started_by(method)
        except MethodRefused:
            other = "GET" if method == "POST" else "POST"
        try:
            envelope = self._started_by(other)
        except MethodRefused as error:
            raise unavailable(error) from None
        self.methods[self.export.id] = other
        return envelope

    def _started_by(self, method: str) -> dict[str, Any]:
        path = self.export.path
        if method == "GET" or not self.export.in_body:
            return self.client.start(path, method, self.params, None)
        in_query = {"raiselimit": self.params["raiselimit"]} if "raiselimit" in self.params else {}
        form = {key: value for key, value in self.params.items() if key != "raiselimit"}
        return self.client.start(path, method, in_query, form)

    def _ids(self, envelope: Mapping[str, Any]) -> dict[str, str]:
        result = _unwrapped(envelope.get("result"))
        if isinstance(result, str):  # where the server puts the text of an exception
            msg = f"{self.export.id}: the server did not start it: {_short(result)}"
            raise JobFailed(msg)
        job = result.get("jobInfo", result)
        self._learn_token(job)
        ids = {"workflow_id": job.get("workflowId"), "run_id": job.get("runId")}
        if not all(ids.values()):
            ids = _ids_in(job.get("statusUrl") or "")
        if not all(ids.values()):
            msg = f"{self.export.id}: the server started it without saying its ids"
            raise JobFailed(msg)
        return {name: str(value) for name, value in ids.items()}

    def poll(self, ids: Ids) -> Poll:
        """Ask how far it is: ready means CLOSED, COMPLETED and with a download URL."""
        try:
            envelope = self.client.status(ids, self.token)
        except MethodRefused:
            return Poll(JobState.GONE, reason="the server no longer knows the job")
        result = _unwrapped(envelope.get("result"))
        if not isinstance(result, dict):
            return Poll(JobState.RUNNING)
        state, info = _part(result, "result") or result, _part(result, "jobInfo")
        self._learn_token(info)
        runner, detail = state.get("runnerState"), state.get("detail", state.get("details"))
        if runner != "CLOSED":
            return Poll(JobState.RUNNING)
        if detail == "COMPLETED":
            ready = bool(info.get("downloadUrl"))
            return Poll(JobState.DONE, result=ids) if ready else Poll(JobState.RUNNING)
        reason = f"the vendor's job ended as {detail or 'unknown'}"
        return Poll(JobState.FAILED, reason=reason)

    def _learn_token(self, job: Mapping[str, Any]) -> None:
        """Keep the access token that the vendor puts into a job's own addresses."""
        for name in ("downloadUrl", "statusUrl"):
            query = parse_qs(urlsplit(str(job.get(name) or "")).query)
            if "analyticsAccessToken" in query:
                self.token = query["analyticsAccessToken"][0]
                return


def still_good(ids: Ids | None) -> Ids | None:
    """Ids of an earlier run that can still be downloaded; None for those that are too old."""
    try:
        started = datetime.fromisoformat((ids or {})["started_at"])
        age = datetime.now(timezone.utc) - started
    except (KeyError, TypeError, ValueError):
        return None
    return ids if age < DOWNLOADABLE else None


def _unwrapped(result: Any) -> Any:
    """A result that comes as an object, or as a list of one."""
    if isinstance(result, list):
        return result[0] if result else {}
    return {} if result is None else result


def _part(result: Mapping[str, Any], name: str) -> dict[str, Any]:
    part = result.get(name)
    return part if isinstance(part, dict) else {}


def _ids_in(url: str) -> dict[str, str | None]:
    """The ids in ``.../report/{workflowId}/{runId}/status``."""
    parts = urlsplit(url).path.split("/")
    if len(parts) < 4 or parts[-1] != "status":
        return {"workflow_id": None, "run_id": None}
    return {"workflow_id": unquote(parts[-3]), "run_id": unquote(parts[-2])}


def _short(text: str) -> str:
    """The message of an exception, without the names of its classes in front."""
    return text.rpartition("Exception: ")[2][:200]
