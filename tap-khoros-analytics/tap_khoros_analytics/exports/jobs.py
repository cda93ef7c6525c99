"""The start and the poll of one export: see docs/reference/khoros.md, section 3."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Literal

from tap_kit import JobFailed, JobState, PartitionUnavailable, Poll, Request

from tap_khoros_analytics.client import (
    FORBIDDEN,
    UNSUPPORTED_MEDIA_TYPE,
    RequestRejected,
    job_path,
)
from tap_khoros_analytics.envelopes import failure_in, short

if TYPE_CHECKING:
    from collections.abc import Generator

    from tap_kit import Ids, Params

    from tap_khoros_analytics.client import Client
    from tap_khoros_analytics.envelopes import Envelope, JobInfo
    from tap_khoros_analytics.exports.definitions import Export

logger = logging.getLogger(__name__)

# The settings in a request by the vendor's names; what is in neither of these is a filter.
_SETTINGS = {"locale": "locale", "timezone": "timezone", "timeInterval": "time_interval"}
_OF_THE_TAP = {
    *("startTime", "endTime", "reportFormat", "reportMetrics"),
    *("raiselimit", "conversationReportType"),
}

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
    """An export whose rows can be downloaded; ``rows`` is their number, if the vendor counts."""

    client: Client
    ids: Ids
    token: str | None = field(repr=False)
    rows: int | None = None

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
                raise self._naming_settings(error) from None
            logger.warning("%s with selected columns; requesting all columns", error)
            self._request_all_columns()
            try:
                envelope = self._started()
            except RequestRejected as again:
                raise self._naming_settings(again) from None
            self.rules.without_columns.add(self.export.id)
        return {**self._ids(envelope), "started_at": datetime.now(timezone.utc).isoformat()}

    def _naming_settings(self, error: RequestRejected) -> RequestRejected:
        """Return an error that also names the settings in the request."""
        filters = self.params.keys() - _SETTINGS.keys() - _OF_THE_TAP
        names = [
            *(setting for name, setting in _SETTINGS.items() if name in self.params),
            *(f"exports.{self.export.id}.filters.{name}" for name in sorted(filters)),
        ]
        return RequestRejected(f"{error}; check {', '.join(names)}" if names else str(error))

    def _request_all_columns(self) -> None:
        self.params = {key: value for key, value in self.params.items() if key != "reportMetrics"}

    def _started(self) -> Envelope:
        """Send the start with the usual method or, if the server rejects it, with the other one."""
        method = self.rules.methods.get(self.export.id, self.export.method)
        try:
            return self.client.start(self._request(method))
        except PartitionUnavailable as error:
            if error.status == FORBIDDEN:
                raise
            other = self._other_method(method, error.status)
            logger.info("%s; retrying with %s", error, other)
        envelope = self.client.start(self._request(other))
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

    def _ids(self, envelope: Envelope) -> dict[str, str]:
        job = envelope.job()
        if isinstance(job, str):  # the server puts the text of an exception here
            msg = f"the server did not start the export: {short(job)}"
            raise JobFailed(msg)
        self._keep_token(job.info)
        ids = job.info.ids
        job_path(ids, "status")  # ids that cannot be polled must not be in the state
        return ids

    def poll(self, ids: Ids) -> Poll:
        """Poll the job: it is done when it is CLOSED, COMPLETED and has a download URL."""
        try:
            envelope = self.client.status(ids, self.token)
        except PartitionUnavailable:
            return Poll(JobState.GONE, reason="the server no longer knows the job")
        job = envelope.job()
        if isinstance(job, str):  # the text of an exception
            return Poll(JobState.FAILED, reason=f"the server reports an error: {short(job)}")
        if failure := failure_in(envelope.status):
            return Poll(JobState.FAILED, reason=failure)
        state, info = job.state, job.info
        self._keep_token(info)
        if state.runner_state != "CLOSED":
            return Poll(JobState.RUNNING)
        detail, has_url = state.detail or state.details, bool(info.download_url)
        if detail == "COMPLETED" or (not detail and has_url):
            finished = FinishedExport(self.client, ids, self.token, state.rows)
            return Poll(JobState.DONE, result=finished) if has_url else Poll(JobState.RUNNING)
        self.client.hide(self.token, is_quoted=True)
        ended_as = short(detail or "unknown")
        return Poll(JobState.FAILED, reason=f"the vendor's job ended as {ended_as}")

    def _keep_token(self, job: JobInfo) -> None:
        if token := job.token:
            self.client.hide(token, is_quoted=False)
            self.token = token
