"""What the clients of both versions of the API offer, and what refusals mean."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from tap_kit.errors import PartitionUnavailable, SyncFailed, setting_error

if TYPE_CHECKING:
    from datetime import datetime

    from tap_kit.flow.windows import Window
    from tap_kit.jobs.runner import Job
    from tap_kit.net.http import ErrorMapper, ErrorResponse

    from tap_kissmetrics.lists.pagination import CorePaginator, Page
    from tap_kissmetrics.reports.saved import Report

Id = str | int  # UUIDs in the Core API and version 2, integers in version 3
NOT_FOUND = "not found (HTTP 404)"
_QUERY_ID = re.compile(r"/queries/([\w-]+)")


@dataclass(frozen=True)
class Finished:
    """A query that is done: the path of its results, and their first page where that came along."""

    path: str
    _first: list[Page] = field(default_factory=list)

    @classmethod
    def with_page(cls, path: str, page: Page) -> Finished:
        """One whose first page is there already."""
        return cls(path, [page])

    def take_page(self) -> Page | None:
        """The first page, once: it is not kept for a second reader, or memory would grow."""
        try:
            return self._first.pop()
        except IndexError:
            return None


class Client(Protocol):
    """Answers of the API; safe to use from several threads."""

    def id_of(self, value: Id) -> Id:
        """An id of the settings as this version has it."""

    def products(self) -> list[dict[str, Any]]:
        """All products, for what has to be known before the plan."""

    def reports(self) -> list[dict[str, Any]]:
        """All saved reports."""

    def report(self, report_id: Id) -> dict[str, Any]:
        """One report.

        Raises:
            PartitionUnavailable: when there is none with this id.
        """

    def runs(self, report: dict[str, Any]) -> bool:
        """Whether the API can run a report of its type."""

    def report_query(self, report: Report, window: Window, span: tuple[datetime, datetime]) -> Job:
        """A run of a report over the days of a window, as a job whose result is ``Finished``.

        ``span`` are the window's first and last second in the zone of the report's product.
        """

    def results(self, path: str) -> Page:
        """One page of the results of a query."""

    def pages_of(self, finished: Finished) -> CorePaginator:
        """The pages of its results, at the first one."""

    def check_access(self) -> str:
        """What the credentials see, in words.

        Raises:
            ConfigValidationError: when they or an address are wrong.
        """


def query_id_of(path: str) -> str:
    """The id in ``/v2/queries/{id}/status``, ``/queries/{id}`` and the like.

    Raises:
        SyncFailed: when there is none.
    """
    found = _QUERY_ID.search(path)
    if found is None:
        msg = f"expected the address of a query, got {path}"
        raise SyncFailed(msg)
    return found[1]


def is_record(value: Any) -> bool:
    """Whether it is what lists are made of: an object with an id, or a row made of one."""
    return isinstance(value, msgspec.Struct) or (isinstance(value, dict) and "id" in value)


def error_for(*, address: str, credential: str) -> ErrorMapper:
    """What a refusal means and whose turn it is [reference, section 4].

    ``address`` and ``credential`` are the settings to look at.
    """

    def judged(refusal: ErrorResponse) -> Exception:
        match refusal.status:
            case 401:
                return setting_error(credential, "the server does not accept it (HTTP 401)")
            case 403:
                return PartitionUnavailable(
                    f"the {_NOUNS[credential]} has no access to it (HTTP 403)"
                )
            case 404:
                return PartitionUnavailable(NOT_FOUND)
            case status if status < 400:
                problem = f"the server redirects elsewhere (HTTP {status}); use the final address"
                return setting_error(address, problem)
            case status:
                return RequestRefused(f"{refusal.source}: HTTP {status}")

    return judged


_NOUNS = {"api_token": "token", "username": "user"}


class RequestRefused(SyncFailed):
    """The server says that the request itself is wrong (HTTP 400 and the like)."""
