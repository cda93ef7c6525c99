"""The envelopes of responses, whose shape is checked: see docs/reference/khoros.md, section 3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec
from msgspec import Meta, Struct
from tap_kit import prepared, short_text

if TYPE_CHECKING:
    from urllib.parse import SplitResult

_FAILURES = ("FAIL", "ERROR")
MAX_SHORT = 200  # characters of a server's text in a message

_Id = Annotated[str, Meta(max_length=1_000)] | Annotated[int, Meta(ge=0, lt=(1 << 63) - 1)] | None
_Url = Annotated[str, Meta(max_length=16_000)] | None
_Text = str | None


class JobInfo(Struct, rename="camel"):
    """The ids and the URLs of a job."""

    workflow_id: _Id = None
    run_id: _Id = None
    status_url: _Url = None
    download_url: _Url = None

    @property
    def ids(self) -> dict[str, str]:
        """The ids that a response names or has in its status URL; none if it has none."""
        ids: dict[str, Any] = {"workflow_id": self.workflow_id, "run_id": self.run_id}
        if not all(ids.values()):
            ids = _ids_in(self.status_url or "")
        return {name: str(value) for name, value in ids.items()} if all(ids.values()) else {}

    @property
    def token(self) -> str | None:
        """The access token that the vendor puts into the URLs of a job."""
        for url in (self.download_url, self.status_url):
            parts = _split(url or "")
            found = parse_qs(parts.query).get("analyticsAccessToken") if parts else None
            if found:
                return found[0]
        return None


class JobState(Struct, rename="camel"):
    """The state of a job; ``details`` is the name of ``detail`` in an old form."""

    runner_state: _Text = None
    detail: _Text = None
    details: _Text = None
    total_count: Any = None

    @property
    def rows(self) -> int | None:
        """The number of rows that the vendor announces; None if it does not."""
        return self.total_count if type(self.total_count) is int else None


class JobReport(JobInfo, rename="camel"):
    """The job in a response: its ids and its state, each in an object of its own or here."""

    job_info: JobInfo | None = None
    result: JobState | None = None
    runner_state: _Text = None
    detail: _Text = None
    details: _Text = None
    total_count: Any = None

    @property
    def info(self) -> JobInfo:
        """The part with the ids and the URLs."""
        return self.job_info if self.job_info and self.job_info != JobInfo() else self

    @property
    def state(self) -> JobState:
        """The part with the state."""
        return self.result or JobState(
            self.runner_state, self.detail, self.details, self.total_count
        )


class Envelope(Struct):
    """A response about one job. A text in place of the job is that of an exception."""

    result: JobReport | list[JobReport | str | None] | str | None = None
    status: Any = None

    def job(self) -> JobReport | str:
        """Return the job, an empty one if there is none, or the text of an exception."""
        result = self.result
        if isinstance(result, list):
            result = result[0] if result else None
        return JobReport() if result is None else result

    def start_problem(self) -> str | None:
        """Return why a response to a start is useless; the text of an exception is not useless."""
        job = self.job()
        if isinstance(job, str):
            return None
        if job.info.ids:
            return failure_in(self.status)
        status = short(self.status) if isinstance(self.status, str) else "unknown"
        return f"expected the ids of the started job, got none (status {status})"


class _Error(Struct):
    message: Any = None
    result: Any = None


for _kind in (JobInfo, JobState, JobReport, Envelope, _Error):
    prepared(_kind)


def foreign_problem(value: Any) -> str | None:
    """Return why a JSON value is not an envelope at all."""
    is_envelope = isinstance(value, dict) and "result" in value
    return None if is_envelope else "expected an object with 'result'"


def failure_in(status: Any) -> str | None:
    """Return that the status of an envelope is a failure, whatever its result; else None.

    Only ``PASS`` is documented: docs/reference/khoros.md, section 3.1.
    """
    is_failure = isinstance(status, str) and status.upper().startswith(_FAILURES)
    return f"the server reports the status {short(status)}" if is_failure else None


def list_problem(value: dict[str, Any]) -> str | None:
    """Return why an object is not an envelope of a list."""
    if problem := failure_in(value.get("status")):
        return problem
    result = value.get("result")
    if isinstance(result, list) and all(isinstance(row, dict) for row in result):
        return None
    keys = short(str(sorted(value)))
    return f"expected a list of objects under 'result', got the keys {keys}"


def reason_in(body: str) -> str:
    """Return the vendor's reason in the body of an error, in one short line; none if it is empty.

    It is the message or the result of an envelope, or else the whole text.
    """
    try:
        error = msgspec.json.decode(body, type=_Error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return short(body)
    found = (text for text in (error.message, error.result) if isinstance(text, str))
    return short(next(found, ""))


def short(text: str) -> str:
    """Return the message of an exception without the class names before it, in one short line."""
    return short_text(text.rpartition("Exception: ")[2], MAX_SHORT)


def _ids_in(url: str) -> dict[str, str]:
    """Return the ids in ``.../report/{workflowId}/{runId}/status``; none in another URL."""
    parts = _split(url)
    segments = parts.path.split("/") if parts else []
    if len(segments) < 4 or segments[-1] != "status":
        return {"workflow_id": "", "run_id": ""}
    return {"workflow_id": unquote(segments[-3]), "run_id": unquote(segments[-2])}


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:  # such as http://[x
        return None
