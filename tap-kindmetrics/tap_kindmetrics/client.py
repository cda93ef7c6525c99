"""The Kindmetrics API: its address, its token, what each of its refusals means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tap_kit import (
    BearerToken,
    Check,
    Decode,
    ErrorResponse,
    Params,
    PartitionUnavailable,
    Request,
    Response,
    SyncFailed,
    setting_error,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from tap_kit import Run

    Fields = AbstractSet[str]


NOT_FOUND = 404


class Client:
    """Answers of the API as Python values; safe to use from several threads."""

    def __init__(self, run: Run) -> None:
        token = BearerToken(run.config["api_token"])
        self._api = run.open_api(run.config["api_url"], auth=token, error_for=error_for)
        self._referrers = "referrers"

    def account(self) -> dict[str, Any]:
        """``GET /api/me``: ``{"email": ...}``; older servers do not have it."""
        return self._object("/api/me", {}, {"email"})

    def domains(self) -> list[dict[str, Any]]:
        """``GET /api/domains``: all domains of the token's user.

        Raises:
            ConfigValidationError: when the account as a whole is refused.
            SyncFailed: when a domain has no id; nothing could be asked about it.
        """
        try:
            answer = self._api.send(Request("/api/domains"), list, _domains_problem)
        except PartitionUnavailable as error:
            problem = f"belongs to an account without access to the API: {error}"
            raise setting_error("api_token", problem) from None  # noqa: EM101
        domains: list[dict[str, Any]] = answer.value
        return domains

    def figures(self, domain_id: int, params: Params, fields: Fields) -> dict[str, Any]:
        """``GET /api/domains/{id}``: the domain's figures over a window.

        ``fields`` are those that the vendor is known to send.
        """
        return self._object(f"/api/domains/{domain_id}", params, fields)

    def current(self, domain_id: int) -> dict[str, Any]:
        """``GET /api/domains/{id}/current``: ``{"current": int}``, a snapshot."""
        return self._object(f"/api/domains/{domain_id}/current", {}, {"current"})

    def breakdown(self, domain_id: int, part: str, params: Params, want: Wanted) -> Sequence[Any]:
        """``GET /api/domains/{id}/{part}``: a domain's list (pages, sources, ...) over a window."""
        if part == "referrers":
            return self._referrer_rows(domain_id, params, want)
        return self._list(f"/api/domains/{domain_id}/{part}", params, want)

    def _referrer_rows(self, domain_id: int, params: Params, want: Wanted) -> Sequence[Any]:
        """The referrers, under the route that this server has.

        The page and the vendor's own client say ``referrers``; the server's router has
        ``Referrers`` and compares case [reference, Endpoints]. 404 can also mean that the domain
        is gone: then both routes say so.
        """
        first = self._referrers
        try:
            return self._list(f"/api/domains/{domain_id}/{first}", params, want)
        except PartitionUnavailable as error:
            if error.status != NOT_FOUND:
                raise
        other = "Referrers" if first == "referrers" else "referrers"
        rows = self._list(f"/api/domains/{domain_id}/{other}", params, want)
        self._referrers = other
        return rows

    def _object(self, path: str, params: Params, fields: Fields) -> dict[str, Any]:
        """An object with at least one of ``fields``.

        One with none of them is a proxy's, or the text of an error, and asked for again.
        """

        def problem(answer: Response) -> str | None:
            fits = not answer.value.keys().isdisjoint(fields)
            return None if fits else f"expected an object with {', '.join(sorted(fields))}"

        answer: dict[str, Any] = self._api.send(Request(path, params), dict, problem).value
        return answer

    def _list(self, path: str, params: Params, want: Wanted) -> list[Any]:
        answer = self._api.send(Request(path, params), list, want.check, decode=want.decode)
        rows: list[Any] = answer.value
        return rows


class Wanted(NamedTuple):
    """What a list has to be: how rows are made of it, and what is wrong with those."""

    decode: Decode
    check: Check


def _domains_problem(answer: Response) -> str | None:
    fits = all(isinstance(d, dict) and isinstance(d.get("id"), int) for d in answer.value)
    return None if fits else "expected objects, each with a number as its id"


def error_for(refusal: ErrorResponse) -> Exception:
    """What a refusal means and whose turn it is [reference, Errors]."""
    match refusal.status:
        case 401:
            return setting_error("api_token", "was rejected by the server (HTTP 401)")
        case 403:
            problem = "no active plan or trial (HTTP 403)"
            return PartitionUnavailable(problem, status=403)
        case 404:
            problem = "not found (HTTP 404)"
            return PartitionUnavailable(problem, status=NOT_FOUND)
        case status if status < 400:
            problem = f"must be the final address, the server redirects elsewhere (HTTP {status})"
            return setting_error("api_url", problem)
        case status:
            problem = f"{refusal.source}: HTTP {status}"
            return SyncFailed(problem)
