"""The Analytics Reports API: its address, its credentials, what each of its errors means."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from requests.auth import HTTPBasicAuth
from tap_kit import (
    SECRETS,
    PartitionUnavailable,
    Request,
    SyncFailed,
    quoted_path,
    setting_error,
)

if TYPE_CHECKING:
    from collections.abc import Generator

    from tap_kit import Check, ErrorResponse, Ids, Params, Response, Run

HOSTS = {
    "us": "https://analytics-api.app.lithium.com",
    "emea": "https://analytics-api-emea.app.lithium.com",
}
REPORTS = "/api/public/reports/report"
FORBIDDEN = 403
UNSUPPORTED_MEDIA_TYPE = 415


class RequestRejected(SyncFailed):
    """The server says that the request itself is wrong (HTTP 400 and the like)."""


class Client:
    """Requests to the API; safe to use from several threads."""

    def __init__(self, run: Run) -> None:
        config = run.config
        self._key = config["company_key"]
        SECRETS.add(config["username"])  # no secret setting, but half of the credentials
        self._api = run.open_api(
            config.get("api_url") or HOSTS[config["region"]],
            auth=HTTPBasicAuth(config["username"].encode(), config["password"].encode()),
            error_for=error_for,
            prefixes=("/api/public/",),
        )

    def look_up(self, path: str, params: Params) -> list[dict[str, Any]]:
        """Return the list under ``result``, for a request that needs no job."""
        response = self._send(Request(f"/api/public{path}", params), _list_problem)
        rows: list[dict[str, Any]] = response.value["result"]
        return rows

    def start(self, request: Request, check: Check) -> dict[str, Any]:
        """Start an export; return the envelope of the response, in which ``check`` finds no error.

        Raises:
            PartitionUnavailable: when this export, method or body is not available.
            RequestRejected: when the parameters are wrong.
        """
        envelope: dict[str, Any] = self._send(request, check).value
        return envelope

    def status(self, ids: Ids, token: str | None) -> dict[str, Any]:
        """Poll a job; return the envelope of the response.

        Raises:
            PartitionUnavailable: when the server no longer knows the job.
        """
        request = Request(_path(ids, "status"), _token(token), urgent=False)
        envelope: dict[str, Any] = self._send(request).value
        return envelope

    def download(self, ids: Ids, token: str | None) -> Generator[bytes, None, None]:
        """Return the body of a finished job in pieces, as they arrive; in one attempt."""
        request = Request(_path(ids, "download"), _token(token))
        yield from self._api.open(self._with_key(request))

    def _send(self, request: Request, check: Check = lambda _: None) -> Response:
        return self._api.send(self._with_key(request), dict, check)

    def _with_key(self, request: Request) -> Request:
        return replace(request, params={**request.params, "companyKey": self._key})


def _list_problem(response: Response) -> str | None:
    result = response.value.get("result")
    if isinstance(result, list) and all(isinstance(row, dict) for row in result):
        return None
    return f"expected a list of objects under 'result', got the keys {sorted(response.value)}"


def _path(ids: Ids, what: str) -> str:
    """Return the path for a job, built from its ids: URLs in responses can lead to other hosts.

    Run ids contain ``+``, ``/`` and ``=``.
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
            problem = f"{source}: HTTP {status}"
            return RequestRejected(problem)
