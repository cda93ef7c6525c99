"""Paginated lists: check that a list is complete, and that it did not change while it was read.

Only this module decides whether a list is complete. docs/architecture.md has the whole statement
of completeness. The rules:

1. A list ends where its links end, whatever its total says; without links at its total; without
   either at a page that is empty, or shorter than the first one and than the limit that the server
   states. The client of the API finds the
   pages in this order, and ``Places`` refuses a page that was requested before in the same pass.
2. Each page makes progress. A page of a list never occurs twice (the server ignores the offset),
   and the list ends after two empty pages in a row that claim more, by a link or by a total.
   Equal pages of a query's result are data: there only the place of a page must be new.
3. A list that changed while it was read is read again from its first page, one page after the
   other. It changed if its pages state different totals, or if an id occurs twice: while a list
   grows or shrinks, a record can move from one page to another.
4. A list that has fewer records than its largest total is read again too. A total that is smaller
   than the list is wrong and proves nothing, and neither do totals that count the records of
   their own page: the pages themselves ended.
5. After ``PASSES`` passes, a list that still breaks rule 3 or 4 is an error, never a silent loss.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, NamedTuple, TypeVar

import msgspec

from tap_kit.errors import SyncFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from typing_extensions import Self

T = TypeVar("T")

PASSES = 3
MAX_EMPTY_PAGES = 2  # in a row, although the server claims more records
MAX_PLAN_BYTES = 1 << 25  # of a list that the plan depends on, as JSON
MAX_IDS = 1_000_000  # that are remembered in a pass: about 90 MB


class PageInfo(NamedTuple):
    """What a page states besides its records; ``total`` and ``next`` are None if it does not."""

    size: int
    fingerprint: bytes  # equal for pages with equal records
    total: int | None = None  # the number of records in the whole list
    next: str | None = None  # the link to the next page
    ids: Sequence[int] = ()  # the hashes of the records' ids; empty for records without an id
    length: int = 0  # of the records as JSON, in bytes
    limit: int | None = None  # the largest size of a page, if the server states it

    @classmethod
    def of(
        cls,
        records: Sequence[object],
        *,
        total: int | None = None,
        next_link: str | None = None,
        ids: Iterable[object] = (),
        limit: int | None = None,
    ) -> PageInfo:
        """Return the information about a page with these records, and with the ids in ``ids``."""
        encoded = msgspec.json.encode(records)
        digest = hashlib.blake2b(encoded, digest_size=8).digest()
        # As text, since -1 and -2 have the same hash.
        hashes = [hash(str(one)) for one in ids if isinstance(one, str | int)]
        return cls(len(records), digest, total, next_link, hashes, len(encoded), limit)


class Places:
    """The places (paths) of the pages that were requested in one pass over a list."""

    def __init__(self, first: str) -> None:
        self._seen = {hash(first)}

    def add(self, place: str) -> None:
        """Add the place of the next page.

        Raises:
            SyncFailed: if it was requested before (rule 1).
        """
        if hash(place) in self._seen:
            path = place.partition("?")[0]
            msg = f"{path}: the link to the next page leads to a page that was read before"
            raise SyncFailed(msg)
        self._seen.add(hash(place))


@dataclass
class ListPass:
    """One pass over a list, from its first page to its last, in order.

    ``what`` is the name of the list in messages; ``number`` is 1 for the first pass.
    """

    equal_pages_are_data: ClassVar[bool] = False

    what: object
    number: int = field(default=1, kw_only=True)
    count: int = field(default=0, init=False)  # the number of records so far
    _totals: list[int] = field(default_factory=list, init=False)  # the different ones
    _pages_with_total: int = field(default=0, init=False)
    _totals_count_pages: bool = field(default=True, init=False)  # each is the size of its page
    _empty_pages: int = field(default=0, init=False)  # since the last page with records
    _fingerprints: set[bytes] = field(default_factory=set, init=False)
    _ids: set[int] = field(default_factory=set, init=False)
    _has_id_twice: bool = field(default=False, init=False)

    def add(self, page: PageInfo) -> None:
        """Count a page.

        Raises:
            SyncFailed: if the page makes no progress (rule 2).
        """
        if not self.equal_pages_are_data and self.has_page(page):
            raise self.same_page_twice()
        self._fingerprints.add(page.fingerprint)
        self.count += page.size
        self._add_total(page)
        self._add_ids(page.ids)
        claims_more = page.next is not None or self.count < (page.total or 0)
        self._empty_pages = 0 if page.size else self._empty_pages + claims_more
        if self._empty_pages == MAX_EMPTY_PAGES:
            problem = "the server claims more records, but sent two empty pages in a row"
            msg = f"{self.what}: {problem}, so the list is incomplete"
            raise SyncFailed(msg)

    def has_page(self, page: PageInfo) -> bool:
        """Return whether a page with the same records was added before."""
        return page.size > 0 and page.fingerprint in self._fingerprints

    def same_page_twice(self) -> SyncFailed:
        """Return the error for a server that sends the same page for each offset."""
        problem = "the server sent the same page twice, so the list is incomplete"
        return SyncFailed(f"{self.what}: {problem}")

    def _add_total(self, page: PageInfo) -> None:
        if page.total is None:
            return
        self._pages_with_total += 1
        self._totals_count_pages &= page.total == page.size
        # A third total proves no more than the second; keep the largest two.
        self._totals = sorted({*self._totals, page.total})[-2:]

    def _add_ids(self, ids: Sequence[int]) -> None:
        if len(set(ids)) < len(ids) or not self._ids.isdisjoint(ids):
            self._has_id_twice = True
        self._ids.update(ids[: MAX_IDS - len(self._ids)])

    def _problem(self) -> str | None:
        totals = self._totals
        if self._totals_count_pages and self._pages_with_total > 1:
            totals = []
        if self._has_id_twice or len(totals) > 1:
            return f"the list changed during each of {PASSES} passes over it"
        total = max(totals, default=0)
        if self.count < total:
            return f"the server promised {total} records and sent {self.count}"
        return None

    def next_pass(self) -> Self | None:
        """Return the pass that must follow this finished one; None if the list is complete.

        Raises:
            SyncFailed: if the list is incomplete, or changed, in the last of its passes too.
        """
        problem = self._problem()
        if problem is None:
            return None
        if self.number == PASSES:
            msg = f"{self.what}: {problem}"
            raise SyncFailed(msg)
        return replace(self, number=self.number + 1)


def read_list(pages: Callable[[], Iterable[tuple[Sequence[T], PageInfo]]], what: object) -> list[T]:
    """Return all records of a list that the plan depends on.

    ``pages`` starts a pass: it returns the records and the information of each page, in order.

    Raises:
        SyncFailed: if the list breaks a rule of this module, or is too long to be kept.
    """
    current = ListPass(what)
    while True:
        records: list[T] = []
        length = 0
        for page, info in pages():
            current.add(info)
            records += page
            length += info.length
            if length > MAX_PLAN_BYTES:
                msg = f"{what}: the list has more than {MAX_PLAN_BYTES >> 20} MiB of records"
                raise SyncFailed(msg)
        following = current.next_pass()
        if following is None:
            return records
        current = following
