"""What the client of each version of the API offers, and what its error responses mean."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote

from tap_kit import JobFailed, PartitionUnavailable, SyncFailed, setting_error

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from tap_kit import ErrorMapper, ErrorResponse, Job, Window

    from tap_kissmetrics.lists.pagination import LinkPaginator, Page

Id = str | int  # UUIDs in the Core API and version 2, integers in version 3
_QUERY_ID = re.compile(r"/queries/([^/?#]+)")


@dataclass(frozen=True)
class Report:
    """A saved report and what its runs need; ``columns`` are the configured labels."""

    id: Id
    name: str | None
    product_id: Id | None
    zone: ZoneInfo
    columns: tuple[str, ...] = ()
    of_people: bool = True  # whether its rows are people, as those of a people search are
    saved_dates: bool = False  # whether it runs with the dates that are saved in it


@dataclass(frozen=True)
class Finished:
    """A finished query: the path of its results, and their first page if that came along."""

    path: str
    _first: list[Page] = field(default_factory=list)

    @classmethod
    def with_page(cls, path: str, page: Page) -> Finished:
        """Return one whose first page came with the last poll."""
        return cls(path, [page])

    def take_page(self) -> Page | None:
        """Return the first page, once: kept for a second reader, it would take memory."""
        try:
            return self._first.pop()
        except IndexError:
            return None


class Client(Protocol):
    """Responses of one version of the API as Python values; safe to use from several threads."""

    query_setting: str  # the setting with the address of the API that runs queries
    has_saved_dates: bool  # whether a report can run with the dates that are saved in it

    def id_of(self, value: Id) -> Id:
        """Return an id of the settings in the form that this version uses."""

    def products(self) -> list[dict[str, Any]]:
        """Return the products that have to be known before the plan."""

    def reports(self) -> list[dict[str, Any]]:
        """Return the saved reports."""

    def report(self, report_id: Id) -> dict[str, Any]:
        """Return one saved report.

        Raises:
            PartitionUnavailable: when there is none with this id.
        """

    def can_run(self, report: dict[str, Any]) -> bool:
        """Return whether the API can run reports of this type."""

    def report_query(self, report: Report, window: Window, span: tuple[datetime, datetime]) -> Job:
        """Return a run of a report over the days of a window: a job that ends in ``Finished``.

        ``span`` is the window's first and last second in the zone of the report's product.
        """

    def results(self, path: str) -> Page:
        """Return one page of the results of a query."""

    def pages_of(self, finished: Finished) -> LinkPaginator:
        """Return the pages of a query's results, at the first one."""

    def check_access(self) -> str:
        """Send a cheap request; return what the credentials can access, in words.

        Raises:
            ConfigValidationError: when a credential or an address is wrong.
        """


def no_product(selected: Sequence[Id]) -> Exception:
    """Return the error for a selection of products of which none exists."""
    setting, names = "product_ids", ", ".join(map(str, selected))
    return setting_error(setting, f"must name a product of the account, got {names}")


class RequestRefused(JobFailed):
    """The server rejects the request itself (HTTP 400 and the like): others can succeed."""


def error_for(*, address: str, credential: str, has_password: bool = False) -> ErrorMapper:
    """Return what error responses mean (see docs/reference/kissmetrics.md, section 4).

    ``address`` and ``credential`` are the settings that can be wrong, and ``password`` if it is
    set: the server does not say which one of the two is.
    """

    def error(response: ErrorResponse) -> Exception:
        match response.status:
            case 401 if has_password:
                names = f"{credential}, password"
                return setting_error(names, "were rejected by the server (HTTP 401)")
            case 401:
                return setting_error(credential, "was rejected by the server (HTTP 401)")
            case 403:
                problem = f"the {_NOUNS[credential]} has no access to it (HTTP 403)"
                return PartitionUnavailable(problem, status=403)
            case 404:
                return PartitionUnavailable("not found (HTTP 404)", status=404)
            case status if status < 400:
                problem = f"redirects elsewhere (HTTP {status}); set it to the final address"
                return setting_error(address, problem)
            case status:
                return RequestRefused(f"{response.source}: HTTP {status}")

    return error


_NOUNS = {"api_token": "token", "username": "user"}


def query_id_of(path: str) -> str:
    """Return the id in ``/v2/queries/{id}/status``, ``/queries/{id}`` and the like.

    Raises:
        SyncFailed: when there is none.
    """
    found = _QUERY_ID.search(path)
    if found is None:
        msg = f"expected the address of a query, got {path}"
        raise SyncFailed(msg)
    return unquote(found[1])


def utc_time(text: object) -> datetime:
    """Return a date-time with an offset in UTC, so that two of them also compare as texts.

    The vendor writes ``Z`` in one list and ``+00:00`` in the others (see
    docs/reference/kissmetrics.md, section 2.1).

    Raises:
        ValueError: when the text is anything else.
    """
    time = datetime.fromisoformat(str(text).replace("Z", "+00:00"))  # 3.10 does not read Z
    if time.tzinfo is None:
        raise ValueError(text)
    try:
        return time.astimezone(timezone.utc)
    except OverflowError:  # before the first year, or after the last one
        raise ValueError(text) from None
