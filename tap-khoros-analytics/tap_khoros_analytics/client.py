"""The Analytics Reports API: its address, its credentials, what each of its errors means."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
from requests.auth import HTTPBasicAuth
from tap_kit import (
    SECRETS,
    STARTED,
    KitError,
    PartitionUnavailable,
    Request,
    SyncFailed,
    conversion_problem,
    quoted_path,
    send_first,
    setting_error,
)

from tap_khoros_analytics.envelopes import (
    Envelope,
    foreign_problem,
    list_problem,
    reason_in,
)

if TYPE_CHECKING:
    from collections.abc import Generator

    from tap_kit import Check, Config, ErrorResponse, Ids, Params, Response, Run

HOSTS = {
    "us": "https://analytics-api.app.lithium.com",
    "emea": "https://analytics-api-emea.app.lithium.com",
}
REPORTS = "/api/public/reports/report"
MAX_HIDDEN_TOKENS = 20
FORBIDDEN = 403
UNSUPPORTED_MEDIA_TYPE = 415


class RequestRejected(SyncFailed):
    """The server says that the request itself is wrong (HTTP 400 and the like)."""


class Client:
    """Requests to the API; safe to use from several threads."""

    def __init__(self, run: Run) -> None:
        config = run.config
        self._key = config["company_key"]
        self._hidden_tokens: set[str] = set()
        self._api = run.open_api(
            api_url(config),
            auth=HTTPBasicAuth(config["username"].encode(), config["password"].encode()),
            error_for=error_for,
            prefixes=("/api/public/",),
        )

    def look_up(self, path: str, params: Params) -> list[dict[str, Any]]:
        """Return the list under ``result``, for a request that needs no job."""
        response = self._send(Request(f"/api/public{path}", params), _list_problem)
        rows: list[dict[str, Any]] = response.value["result"]
        return rows

    def teams(self) -> list[dict[str, Any]]:
        """Return the teams, for the first request of a run.

        Raises:
            ConfigValidationError: when the address or the company key is wrong.
        """
        request = self._with_key(Request("/api/public/teams"))
        what = "a Khoros Analytics Reports API"
        try:
            value = send_first(self._api, request, foreign_problem, _list_problem, what=what)
        except PartitionUnavailable:
            problem = "was rejected for this user (HTTP 403)"
            wrong = setting_error("company_key", problem)
            raise wrong from None
        rows: list[dict[str, Any]] = value["result"]
        return rows

    def start(self, request: Request) -> Envelope:
        """Start an export; return the envelope, which has ids or the text of an exception.

        Raises:
            PartitionUnavailable: when this export, method or body is not available.
            RequestRejected: when the parameters are wrong.
        """
        return _envelope(self._send(replace(request, statuses=STARTED), _start_problem))

    def status(self, ids: Ids, token: str | None) -> Envelope:
        """Poll a job; return the envelope of the response.

        Raises:
            PartitionUnavailable: when the server no longer knows the job.
        """
        request = Request(job_path(ids, "status"), _token(token), urgent=False)
        try:
            return _envelope(self._send(request, _envelope_problem))
        except KitError:  # its message can have a text of the server
            self.hide(token, is_quoted=True)
            raise

    def download(self, ids: Ids, token: str | None) -> Generator[bytes, None, None]:
        """Return the body of a finished job in pieces, as they arrive; in one attempt."""
        request = Request(job_path(ids, "download"), _token(token))
        try:
            yield from self._api.open(self._with_key(request))
        except KitError:
            self.hide(token, is_quoted=True)
            raise

    def hide(self, token: str | None, *, is_quoted: bool) -> None:
        """Keep an access token out of the log.

        Each hidden token makes every log line slower, and each job can have another token. So
        beyond ``MAX_HIDDEN_TOKENS``, only those are hidden that a message may quote.
        """
        if token and (is_quoted or len(self._hidden_tokens | {token}) <= MAX_HIDDEN_TOKENS):
            self._hidden_tokens.add(token)
            SECRETS.add(token)

    def _send(self, request: Request, check: Check) -> Response:
        return self._api.send(self._with_key(request), dict, check)

    def _with_key(self, request: Request) -> Request:
        return replace(request, params={**request.params, "companyKey": self._key})


def api_url(config: Config) -> str:
    """Return the address of the API: the one in the settings, or that of the region."""
    return str(config.get("api_url") or HOSTS[config["region"]])


def _list_problem(response: Response) -> str | None:
    return list_problem(response.value)


def _envelope_problem(response: Response) -> str | None:
    return conversion_problem(response.value, Envelope)


def _start_problem(response: Response) -> str | None:
    return _envelope_problem(response) or _envelope(response).start_problem()


def _envelope(response: Response) -> Envelope:
    return msgspec.convert(response.value, Envelope)


def job_path(ids: Ids, what: str) -> str:
    """Return the path for a job, built from its ids: URLs in responses can lead to other hosts.

    Run ids contain ``+``, ``/`` and ``=``.

    Raises:
        SyncFailed: when an id cannot be a part of a path.
    """
    return quoted_path(REPORTS + "/{}/{}/{}", ids["workflow_id"], ids["run_id"], what)


def _token(token: str | None) -> dict[str, str]:
    return {"analyticsAccessToken": token} if token else {}


def error_for(response: ErrorResponse) -> Exception:
    """Return what an error means; the vendor documents none, so the usual meanings apply."""
    source, status = response.source, response.status
    match status:
        case 401:
            problem = "were rejected by the server (HTTP 401)"
            return setting_error("username, password", problem)
        case 403:
            problem = f"{source}: this user has no access (HTTP 403)"
            return PartitionUnavailable(problem, status=status)
        case 404 | 405 | 415:
            problem = f"{source}: not available (HTTP {status})"
            return PartitionUnavailable(problem, status=status)
        case _ if status < 400:
            problem = f"must be the final address, the server redirects elsewhere (HTTP {status})"
            return setting_error("api_url", problem)
        case _:
            reason = reason_in(response.detail)
            problem = f"{source}: HTTP {status}" + (f": {reason}" if reason else "")
            return RequestRejected(problem)
