"""The Kindmetrics API: its address, its token, what each of its errors means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tap_kit import (
    BearerToken,
    Check,
    Decode,
    ErrorResponse,
    JobFailed,
    Params,
    PartitionUnavailable,
    Request,
    Response,
    quoted_path,
    send_first,
    setting_error,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from tap_kit import Run

    Fields = AbstractSet[str]


NOT_FOUND = 404


class Client:
    """Requests to the API; safe to use from several threads."""

    def __init__(self, run: Run) -> None:
        token = BearerToken(run.config["api_token"])
        self._api = run.open_api(run.config["api_url"], auth=token, error_for=error_for)
        self._referrers = "referrers"

    def account(self) -> dict[str, Any]:
        """Send ``GET /api/me``; return ``{"email": ...}``. Older servers do not have it."""
        return self._object("/api/me", {}, {"email"})

    def domains(self) -> list[dict[str, Any]]:
        """Send ``GET /api/domains``; return all domains of the token's user.

        Raises:
            ConfigValidationError: when the server rejects the whole account.
            SyncFailed: when a domain has no id, by which its figures are requested.
        """
        request = Request("/api/domains")
        try:
            domains: list[dict[str, Any]] = send_first(
                self._api, request, _foreign, _domains_problem, what="a Kindmetrics API"
            )
        except PartitionUnavailable as error:
            problem = f"belongs to an account without access to the API: {error}"
            raise setting_error("api_token", problem) from None  # noqa: EM101
        return domains

    def figures(self, domain_id: int, params: Params, fields: Fields) -> dict[str, Any]:
        """Send ``GET /api/domains/{id}``; return the domain's figures over a window.

        ``fields`` are the fields that the vendor is known to send.
        """
        return self._object(quoted_path("/api/domains/{}", domain_id), params, fields)

    def current(self, domain_id: int) -> dict[str, Any]:
        """Send ``GET /api/domains/{id}/current``; return ``{"current": int}``, a snapshot."""
        return self._object(quoted_path("/api/domains/{}/current", domain_id), {}, {"current"})

    def breakdown(
        self, domain_id: int, part: str, params: Params, form: ListFormat
    ) -> Sequence[Any]:
        """Send ``GET /api/domains/{id}/{part}``; return a list (pages, ...) over a window."""
        if part == "referrers":
            return self._referrer_rows(domain_id, params, form)
        return self._list(quoted_path("/api/domains/{}/{}", domain_id, part), params, form)

    def _referrer_rows(self, domain_id: int, params: Params, form: ListFormat) -> Sequence[Any]:
        """Return the referrers, from the route that this server has.

        The vendor's page and client use ``referrers``; the server's router has ``Referrers`` and
        is case-sensitive: see docs/reference/kindmetrics.md, section 3. If the domain no longer
        exists, both routes respond with 404.
        """
        first = self._referrers
        try:
            return self._list(quoted_path("/api/domains/{}/{}", domain_id, first), params, form)
        except PartitionUnavailable as error:
            if error.status != NOT_FOUND:
                raise
        other = "Referrers" if first == "referrers" else "referrers"
        rows = self._list(quoted_path("/api/domains/{}/{}", domain_id, other), params, form)
        self._referrers = other
        return rows

    def _object(self, path: str, params: Params, fields: Fields) -> dict[str, Any]:
        """Return an object with at least one of ``fields``.

        An object without any of them comes from a proxy or describes an error, so it is retried.
        """

        def problem(response: Response) -> str | None:
            fits = not response.value.keys().isdisjoint(fields)
            return None if fits else f"expected an object with {', '.join(sorted(fields))}"

        found: dict[str, Any] = self._api.send(Request(path, params), dict, problem).value
        return found

    def _list(self, path: str, params: Params, form: ListFormat) -> list[Any]:
        response = self._api.send(Request(path, params), list, form.check, decode=form.decode)
        rows: list[Any] = response.value
        return rows


class ListFormat(NamedTuple):
    """How a list becomes rows, and the check of these rows."""

    decode: Decode
    check: Check


def _foreign(value: Any) -> str | None:
    return None if isinstance(value, list) else "expected a list of domains"


def _domains_problem(response: Response) -> str | None:
    fits = all(isinstance(d, dict) and _is_id(d.get("id")) for d in response.value)
    return None if fits else "expected objects, each with a number as its id"


def _is_id(value: Any) -> bool:
    """Return whether a value is a positive 64-bit integer, as the ids in the server's database."""
    return type(value) is int and 0 < value < 1 << 63


def error_for(response: ErrorResponse) -> Exception:
    """Return what an error means: see docs/reference/kindmetrics.md, section 2."""
    match response.status:
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
            reason = f": {response.detail}" if response.detail.strip("{} ") else ""
            problem = f"{response.source}: HTTP {status}{reason}"
            return JobFailed(problem)  # of this window only
