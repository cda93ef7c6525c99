"""Paginated lists: check that a list is complete, and that it did not change while it was read.

Only this module decides whether a list is complete. The rules:

1. No page occurs twice. A server that ignores the offset sends the same page again and again.
2. The list has at least as many records as the largest total that a page states. A list without
   a total is complete when its pages end; the client of the API knows where they end.
3. All pages state the same total. While a list grows or shrinks, a record can move from one page
   to another, so the list is read again from its first page, at most ``PASSES`` times in total.

A list that breaks a rule is an error, never a silent loss.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from tap_kit.errors import SyncFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from typing_extensions import Self

T = TypeVar("T")

PASSES = 3


class PageInfo(NamedTuple):
    """What a page states besides its records; ``total`` and ``next`` are None if it does not."""

    size: int
    fingerprint: bytes  # equal for pages with equal records
    total: int | None = None  # the number of records in the whole list
    next: str | None = None  # the link to the next page

    @classmethod
    def of(
        cls,
        records: Sequence[object],
        *,
        total: int | None = None,
        next_link: str | None = None,
    ) -> PageInfo:
        """Return the information about a page with these records."""
        digest = hashlib.blake2b(msgspec.json.encode(records), digest_size=8).digest()
        return cls(len(records), digest, total, next_link)


@dataclass
class ListPass:
    """One pass over a list, from its first page to its last, in order.

    ``what`` is the name of the list in messages; ``number`` is 1 for the first pass.
    """

    what: object
    number: int = field(default=1, kw_only=True)
    count: int = field(default=0, init=False)  # the number of records so far
    _totals: set[int] = field(default_factory=set, init=False)
    _fingerprints: set[bytes] = field(default_factory=set, init=False)

    def add(self, page: PageInfo) -> None:
        """Count a page.

        Raises:
            SyncFailed: if the page occurred before (rule 1).
        """
        if page.size and page.fingerprint in self._fingerprints:
            msg = f"{self.what}: the server sent the same page twice, so the list is incomplete"
            raise SyncFailed(msg)
        self._fingerprints.add(page.fingerprint)
        self.count += page.size
        if page.total is not None:
            self._totals.add(page.total)

    def check_complete(self) -> None:
        """Check that every promised record arrived.

        Raises:
            SyncFailed: if the server promised more records (rule 2).
        """
        total = max(self._totals, default=0)
        if self.count < total:
            msg = f"{self.what}: the server promised {total} records and sent {self.count}"
            raise SyncFailed(msg)

    def next_pass(self) -> Self | None:
        """Return the pass that must follow this finished one; None if the list is complete.

        Raises:
            SyncFailed: if the list is incomplete, or changed during the last of its passes.
        """
        if len(self._totals) <= 1:
            self.check_complete()
            return None
        if self.number == PASSES:
            msg = f"{self.what}: the list changed during each of {PASSES} passes over it"
            raise SyncFailed(msg)
        return replace(self, number=self.number + 1)


def read_list(pages: Callable[[], Iterable[tuple[Sequence[T], PageInfo]]], what: object) -> list[T]:
    """Return all records of a list that the plan depends on.

    ``pages`` starts a pass: it returns the records and the information of each page, in order.

    Raises:
        SyncFailed: if the list breaks a rule of this module.
    """
    current = ListPass(what)
    while True:
        records: list[T] = []
        for page, info in pages():
            current.add(info)
            records += page
        following = current.next_pass()
        if following is None:
            return records
        current = following
