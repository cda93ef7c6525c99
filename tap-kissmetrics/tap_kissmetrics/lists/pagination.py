"""Pages of the vendor's lists, which come in seven forms [reference, section 3]."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, parse_qsl, urlencode

import msgspec
from requests.utils import parse_header_links
from singer_sdk.pagination import BaseAPIPaginator
from tap_kit.errors import SyncFailed
from typing_extensions import override

from tap_kissmetrics.core.directory import is_templated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_kit.net.http import Response

PASSES = 3  # how often a list that changes while it is read is begun again


class Facts(NamedTuple):
    """What a page tells besides its records; ``total`` and ``next`` are None where it has none."""

    size: int
    total: int | None
    next: str | None
    fingerprint: bytes


class Page(NamedTuple):
    """One page, whatever form it came in."""

    records: list[Any]
    facts: Facts
    columns: list[Any] | None = None  # results of a report may name theirs


def records_of(value: Any) -> list[Any] | None:
    """The records in an answer, a bare array or an envelope; None when there is no list in it."""
    body = value if isinstance(value, dict) else {"data": value}
    records = body.get("data", body.get("rows"))
    if records == {}:  # what the vendor's own client takes for an empty list
        return []
    return records if isinstance(records, list) else None


def facts_of(
    records: list[Any], *, total: int | None = None, following: str | None = None
) -> Facts:
    """What is known of a page with these records."""
    encoded = hashlib.blake2b(msgspec.json.encode(records), digest_size=8)
    return Facts(len(records), total, following, encoded.digest())


def page_of(answer: Response) -> Page:
    """The page in an answer; its links are in the body, or in the header, or there are none."""
    body = answer.value if isinstance(answer.value, dict) else {}
    records = records_of(answer.value) or []
    links = [*(body.get("links") or []), *parse_header_links(answer.headers.get("Link", ""))]
    following = (
        str(link.get("href") or link.get("url"))
        for link in links
        if link.get("rel") == "next" and not is_templated(link)
    )
    facts = facts_of(records, total=_total(body), following=next(following, None))
    columns = body.get("columns")
    return Page(records, facts, columns if isinstance(columns, list) else None)


def _total(body: dict[str, Any]) -> int | None:
    pagination = body.get("pagination")
    total = pagination.get("total") if isinstance(pagination, dict) else body.get("total")
    return int(total) if isinstance(total, int | str) and str(total).isdecimal() else None


class CorePaginator(BaseAPIPaginator[str]):
    """Paths of the pages of one list: by the ``next`` link, else by offset.

    It is advanced by the :class:`Facts` of a page. Without a link and without a total it asks
    until a page is empty or shorter than the first one; the page size that was asked for says
    nothing, as a server may give less.
    """

    def __init__(self, first: str, path_of: Callable[[str], str]) -> None:
        super().__init__(first)
        self._path_of = path_of
        self._step: int | None = None

    @override
    def has_more(self, response: Facts) -> bool:  # type: ignore[override]
        return self.get_next(response) is not None

    @override
    def get_next(self, response: Facts) -> str | None:  # type: ignore[override]
        if response.next is not None:
            return self._path_of(response.next)
        offset = offset_of(self.current_value) + response.size
        following = with_offset(self.current_value, offset) if response.size else None
        if response.total is not None:
            return following if offset < response.total else None
        if self._step is None:
            self._step = response.size
        return following if response.size >= self._step else None

    @override
    def advance(self, response: Facts) -> None:  # type: ignore[override]
        """Go to the next page.

        Raises:
            SyncFailed: when that is the same page again.
        """
        try:
            super().advance(response)  # type: ignore[arg-type]
        except RuntimeError:
            path = self.current_value.partition("?")[0]
            msg = f"{path}: its link to the next page leads to itself"
            raise SyncFailed(msg) from None

    def rest(self, first: Facts) -> Iterator[CorePaginator | KnownPage] | None:
        """All pages after the first, when its total tells them; else None.

        They are the ``next`` link's (or the first page's) with other offsets, a page's worth of
        records apart, so that all parameters of the vendor's stay in them. None asks for more than
        the first one gave: one that gave more would give records of the page behind it too. The
        last one can be advanced: where a page in between was thin, records are left behind it.
        """
        following = self._path_of(first.next) if first.next else self.current_value
        named = parse_qs(_query(following))
        if first.total is None or not first.size or "offset" not in named:
            return None
        begin = offset_of(self.current_value) + first.size
        path = _with(following, "limit", first.size) if "limit" in named else following
        return self._pages(path, range(begin, first.total, first.size))

    def _pages(self, path: str, offsets: range) -> Iterator[CorePaginator | KnownPage]:
        for offset in offsets[:-1]:
            yield KnownPage(with_offset(path, offset))
        for offset in offsets[-1:]:
            yield CorePaginator(with_offset(path, offset), self._path_of)


class PageSizes:
    """How many records a server is known to give at a time, by the pages it gave.

    Version 3 tells neither a total nor a next page. So a page that is shorter than what was asked
    for is the last one, unless the server gives no more than that at a time: one that gave more
    before would have given more now.
    """

    def __init__(self) -> None:
        self._largest = 0

    def is_last(self, size: int, limit: int) -> bool:
        """Whether a page of ``size`` is certainly the last one, when ``limit`` were asked for."""
        is_last = size < min(limit, self._largest)
        self._largest = max(self._largest, size)
        return is_last


class OffsetPaginator(CorePaginator):
    """Paths of the pages of one list of version 3, by offset; a short page is the last one."""

    def __init__(self, path: str, limit: int, sizes: PageSizes) -> None:
        super().__init__(f"{path}?limit={limit}&offset=0", str)
        self._limit = limit
        self._sizes = sizes

    @override
    def get_next(self, response: Facts) -> str | None:  # type: ignore[override]
        is_last = self._sizes.is_last(response.size, self._limit)
        return None if is_last else super().get_next(response)


class KnownPage:
    """A page whose place was known before the one in front of it was read."""

    def __init__(self, path: str) -> None:
        self.current_value = path


def further_pages(
    paginator: CorePaginator | KnownPage, facts: Facts, *, is_first: bool
) -> Iterator[CorePaginator | KnownPage]:
    """The pages that a page makes known: all the others, the next one, or none."""
    if isinstance(paginator, KnownPage):
        return
    rest = paginator.rest(facts) if is_first else None
    if rest is not None:
        yield from rest
        return
    paginator.advance(facts)
    if not paginator.finished:
        yield paginator


def offset_of(path: str) -> int:
    """The offset that a page's path asks for; 0 where it is none that can be counted."""
    offset = parse_qs(_query(path)).get("offset", ["0"])[0]
    return int(offset) if offset.isdecimal() else 0


def with_offset(path: str, offset: int) -> str:
    """The same list from another offset on."""
    return _with(path, "offset", offset)


def _with(path: str, name: str, value: int) -> str:
    rest = [(key, other) for key, other in parse_qsl(_query(path)) if key != name]
    return f"{path.partition('?')[0]}?{urlencode([*rest, (name, value)])}"


def _query(path: str) -> str:
    return path.partition("?")[2]


@dataclass
class Reading:
    """One pass over a list, page by page in order: what has come, and whether that is all."""

    count: int = 0
    totals: set[int] = field(default_factory=set)
    fingerprints: set[bytes] = field(default_factory=set)

    def add(self, facts: Facts, what: object) -> None:
        """Count a page.

        Raises:
            SyncFailed: when it came before, since then the server does not move on.
        """
        if facts.size and facts.fingerprint in self.fingerprints:
            msg = f"{what}: the server gave the same page twice; its list is not complete"
            raise SyncFailed(msg)
        self.fingerprints.add(facts.fingerprint)
        self.count += facts.size
        if facts.total is not None:
            self.totals.add(facts.total)

    @property
    def changed(self) -> bool:
        """Whether the list grew or shrank meanwhile, so that pages may have missed records."""
        return len(self.totals) > 1

    def check(self, what: object) -> None:
        """Be sure that all came.

        Raises:
            SyncFailed: when the server promised more.
        """
        total = max(self.totals, default=0)
        if self.count < total:
            msg = f"{what}: the server says that there are {total} records, but gave {self.count}"
            raise SyncFailed(msg)


def read_once(
    paginator: CorePaginator, page_at: Callable[[str], Page], what: object
) -> tuple[list[dict[str, Any]], Reading]:
    """All records of a list, in one pass over it."""
    records: list[dict[str, Any]] = []
    reading = Reading()
    while not paginator.finished:
        page = page_at(paginator.current_value)
        reading.add(page.facts, what)
        records += page.records
        paginator.advance(page.facts)
    return records, reading


def changed_too_often(what: object) -> SyncFailed:
    """The error for a list that does not hold still."""
    return SyncFailed(f"{what}: the list changed each of the {PASSES} times that it was read")
