"""The analytics host: its address, Basic credentials and company key, what a refusal means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from requests.auth import HTTPBasicAuth
from tap_kit.errors import SyncFailed, setting_error
from tap_kit.net.connections import api_at
from tap_kit.net.http import Check, ErrorResponse, Params, Request, Response

if TYPE_CHECKING:
    from collections.abc import Generator

    from tap_kit.jobs.runner import Ids
    from tap_kit.tap import KitTap

HOSTS = {
    "us": "https://analytics-api.app.lithium.com",
    "emea": "https://analytics-api-emea.app.lithium.com",
}
REPORTS = "/api/public/reports/report"


class RequestRefused(SyncFailed):
    """The server says that the request itself is wrong (HTTP 400 and the like)."""


class AccessRefused(SyncFailed):
    """The server knows the user, but refuses this (HTTP 403)."""


class MethodRefused(SyncFailed):
    """The server has nothing here, or not for this method or body (HTTP 404, 405, 415)."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Client:
    """Answers of the API; safe to use from several threads."""

    def __init__(self, tap: KitTap) -> None:
        config = tap.config
        self._key = config["company_key"]
        self._secrets = (config["password"], self._key, config["username"])
        self._api = api_at(
            tap,
            config.get("api_url") or HOSTS[config["region"]],
            auth=HTTPBasicAuth(config["username"].encode(), config["password"].encode()),
            error_for=error_for,
            prefixes=("/api/public/",),
        )

    def look_up(self, path: str, params: Params) -> list[dict[str, Any]]:
        """A list that is answered at once, under ``result``."""
        answer = self._ask(Request(f"/api/public{path}", params), _list_problem)
        rows: list[dict[str, Any]] = answer.value["result"]
        return rows

    def start(self, request: Request, check: Check) -> dict[str, Any]:
        """Start an export; the envelope of the answer, with which nothing is wrong."""
        envelope: dict[str, Any] = self._ask(request, check).value
        return envelope

    def status(self, ids: Ids, token: str | None) -> dict[str, Any]:
        """Ask how far a job is; the envelope of the answer."""
        request = Request(_path(ids, "status"), _token(token), urgent=False)
        envelope: dict[str, Any] = self._ask(request).value
        return envelope

    def download(self, ids: Ids, token: str | None) -> Generator[bytes, None, None]:
        """The rows of a finished job, in pieces as they arrive; one attempt."""
        request = Request(_path(ids, "download"), _token(token))
        yield from self._api.open(self._with_key(request))

    def redacted(self, text: str) -> str:
        """A text of the server's, fit for a message: it can quote what it was asked."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def _ask(self, request: Request, check: Check = lambda _: None) -> Response:
        return self._api.send(self._with_key(request), dict, check)

    def _with_key(self, request: Request) -> Request:
        params = {**request.params, "companyKey": self._key}
        return Request(
            request.path, params, request.method, request.body, request.form, request.urgent
        )


def _list_problem(answer: Response) -> str | None:
    result = answer.value.get("result")
    if isinstance(result, list) and all(isinstance(row, dict) for row in result):
        return None
    return f"expected a list of objects under 'result', got the keys {sorted(answer.value)}"


def _path(ids: Ids, what: str) -> str:
    """The address of a job, built from its ids: those in answers can lead to other hosts.

    Run ids hold ``+``, ``/`` and ``=``, so they are quoted whole.
    """
    workflow, run = (quote(ids[name], safe="") for name in ("workflow_id", "run_id"))
    return f"{REPORTS}/{workflow}/{run}/{what}"


def _token(token: str | None) -> dict[str, str]:
    return {"analyticsAccessToken": token} if token else {}


def error_for(refusal: ErrorResponse) -> Exception:
    """What a refusal means; the vendor documents none of them, so the usual meanings apply."""
    message = f"{refusal.source}: HTTP {refusal.status}"
    match refusal.status:
        case 401:
            problem = "the server does not accept them (HTTP 401)"
            return setting_error("username, password", problem)
        case 403:
            return AccessRefused(message)
        case 404 | 405 | 415 as status:
            return MethodRefused(message, status)
        case status if status < 400:
            problem = f"the server redirects elsewhere (HTTP {status}); use the final address"
            return setting_error("api_url", problem)
        case _:
            return RequestRefused(message)
