"""Pages of the vendor's lists, in seven forms (see docs/reference/kissmetrics.md, section 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, parse_qsl, urlencode

import msgspec
from requests.utils import parse_header_links
from tap_kit import PageInfo, Places, resolved_link
from typing_extensions import override

from tap_kissmetrics.lists.envelope import (
    MAX_DIGITS,
    Column,
    Envelope,
    Link,
    Record,
    converted,
    problem_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_kit import Response


class Page(NamedTuple):
    """One page of any form."""

    records: list[Any]
    info: PageInfo
    columns: list[str] | None = None  # the labels that results of a report may come with


def is_record(value: Any) -> bool:
    """Return whether a value can be a record of a list: an object with an id, or a row of one."""
    return isinstance(value, msgspec.Struct) or problem_of(value, Record) is None


def records_of(value: Any) -> list[Any] | None:
    """Return the records of a response, an array or an envelope; None when it has no list."""
    body = value if isinstance(value, dict) else {"data": value}
    records = body.get("data", body.get("rows"))
    if records == {}:  # the vendor's own client takes it for an empty list
        return []
    return records if isinstance(records, list) else None


def page_of(response: Response, *, of_records: bool = True) -> Page:
    """Return the page in a response; its links are in the body, in the header, or missing.

    The rows of a result are not records: equal ids do not show that a result changed.
    """
    envelope = converted(response.value, Envelope)
    records = records_of(response.value) or []
    links = [*(envelope.links or []), *_header_links(response)]
    following = (link.href for link in links if link.rel == "next" and not link.is_template)
    info = PageInfo.of(
        records,
        total=envelope.stated_total,
        next_link=next(filter(None, following), None),
        ids=ids_of(records) if of_records else (),
        limit=envelope.stated_limit,
    )
    columns = envelope.columns
    return Page(records, info, None if columns is None else [_label(one) for one in columns])


def ids_of(records: Sequence[Any]) -> Iterator[Any]:
    """Return the ids of the records of a list, which are objects or rows."""
    return (r.get("id") if isinstance(r, dict) else getattr(r, "id", None) for r in records)


def _header_links(response: Response) -> Iterator[Link]:
    for link in parse_header_links(response.headers.get("Link", "")):
        yield Link(link.get("rel"), link.get("url"), link.get("templated"))


def _label(column: object) -> str:
    return column.label if isinstance(column, Column) else str(column)


class ReadAhead:
    """The pages of one list that are read ahead by offset, from the size of the first page.

    A shorter page moves all records after it, so that the other offsets are wrong: ``is_over``
    then, no further page is requested, and the list is read again, one page after the other.
    """

    def __init__(self, step: int) -> None:
        self.step = step
        self.is_over = False


class KnownPage:
    """A page whose path was known before the page in front of it was read."""

    def __init__(self, path: str, ahead: ReadAhead | None = None) -> None:
        self.path = path
        self._ahead = ahead

    def arrived(self, page: PageInfo) -> None:
        """Note the size of the page."""
        if self._ahead is not None and page.size < self._ahead.step:
            self._ahead.is_over = True


class LinkPaginator:
    """Paths of the pages of one list: by the ``next`` link, else by offset.

    Links lead to the end of the list, whatever a total says. Without a link the list continues up
    to its total. Without a total, or past one that is too small, it continues until a page is empty
    or shorter than the first one. The requested page size proves nothing, as a server may send
    fewer.
    """

    def __init__(self, first: str, path_of: Callable[[str], str]) -> None:
        self.path = first  # of the current page
        self.is_finished = False
        self._path_of = path_of
        self._places = Places(first)
        self._step: int | None = None  # the size of the first page

    def advance(self, page: PageInfo) -> None:
        """Go to the page after the current one, which is ``page``.

        Raises:
            SyncFailed: when that page was read before.
        """
        following = self.next_path(page)
        if following is not None:
            self._places.add(following)
        self.path = following or self.path
        self.is_finished = following is None

    def next_path(self, page: PageInfo) -> str | None:
        """Return the path of the next page; None after the last one."""
        if self._step is None:
            self._step = page.size
        if page.next is not None:
            return self._linked(page.next)
        if not page.size or not has_offset(self.path):
            return None
        offset = offset_of(self.path) + page.size
        following = with_offset(self.path, offset)
        if page.total is not None and offset < page.total:
            return following
        if page.total == offset and not self._may_count_page(page):
            return None
        return following if page.size >= self._step or page.size == page.limit else None

    def _may_count_page(self, page: PageInfo) -> bool:
        """Return whether the total can be the number of records in the page, which is full."""
        limits = {_number(self.path, "limit"), page.limit}
        return page.total == page.size and page.size in limits

    def _linked(self, href: str) -> str:
        return self._path_of(resolved_link(self.path, href))

    def read(self, page_at: Callable[[str], Page]) -> Iterator[tuple[list[Any], PageInfo]]:
        """Read all pages, one after the other: the records and the information of each."""
        while not self.is_finished:
            page = page_at(self.path)
            yield page.records, page.info
            self.advance(page.info)

    def rest(self, first: PageInfo) -> Iterator[LinkPaginator | KnownPage] | None:
        """Return all pages after the first one when its total says how many; else None.

        They have the path of the ``next`` link (or of the first page) with other offsets, so that
        all parameters of the vendor stay in them. Each limit is the size of the first page: a
        larger page would contain records of the one after it too. The last one can advance: links
        and offsets may lead beyond the total.
        """
        following = self._linked(first.next) if first.next else self.path
        begin = offset_of(self.path) + first.size
        if not first.size or not has_offset(following) or begin >= (first.total or 0):
            return None
        has_limit = "limit" in parse_qs(_query(following))
        path = _with(following, "limit", first.size) if has_limit else following
        return self._pages(path, range(begin, first.total or 0, first.size))

    def _pages(self, path: str, offsets: range) -> Iterator[LinkPaginator | KnownPage]:
        ahead = ReadAhead(offsets.step)
        for offset in offsets[:-1]:
            yield KnownPage(with_offset(path, offset), ahead)
            if ahead.is_over:
                return
        yield LinkPaginator(with_offset(path, offsets[-1]), self._path_of)


class PageSizes:
    """The largest page that a server has sent so far.

    Version 3 states neither a total nor a next page. A page that is shorter than requested is the
    last one, unless the server never sends more than that: if it sent more before, it would have
    done so now.
    """

    def __init__(self) -> None:
        self._largest = 0

    def is_last(self, size: int, limit: int) -> bool:
        """Return whether a page of ``size`` is surely the last one, if ``limit`` was requested."""
        is_last = size < min(limit, self._largest)
        self._largest = max(self._largest, size)
        return is_last


class OffsetPaginator(LinkPaginator):
    """Paths of the pages of one list of version 3, by offset; a short page is the last one."""

    def __init__(self, path: str, limit: int, sizes: PageSizes) -> None:
        super().__init__(first_page(path, limit), str)
        self._limit = limit
        self._sizes = sizes

    @override
    def next_path(self, page: PageInfo) -> str | None:
        is_last = self._sizes.is_last(page.size, self._limit)
        return None if is_last else super().next_path(page)


Place = LinkPaginator | KnownPage
"""Where a page is: its ``path``, and perhaps the way to the next one."""


def further_pages(place: Place, info: PageInfo, *, is_ahead: bool) -> Iterator[Place]:
    """Return the pages that a page makes known: all others, the next one, or none.

    ``is_ahead`` is true for the first page of a list that can be read ahead.
    """
    if isinstance(place, KnownPage):
        place.arrived(info)
        return
    rest = place.rest(info) if is_ahead else None
    if rest is not None:
        yield from rest
        return
    place.advance(info)
    if not place.is_finished:
        yield place


def first_page(path: str, limit: int) -> str:
    """Return the path of the first page of a list, of at most ``limit`` records."""
    return f"{path}?limit={limit}&offset=0"


def has_offset(path: str) -> bool:
    """Return whether a page's path has an offset; one with a cursor has none."""
    return "offset" in parse_qs(_query(path))


def offset_of(path: str) -> int:
    """Return the offset in a page's path; 0 where it has none that is a number."""
    return _number(path, "offset")


def _number(path: str, name: str) -> int:
    value = parse_qs(_query(path)).get(name, ["0"])[0]
    return int(value) if value.isdecimal() and len(value) <= MAX_DIGITS else 0


def with_offset(path: str, offset: int) -> str:
    """Return the path of the same list from another offset on."""
    return _with(path, "offset", offset)


def _with(path: str, name: str, value: int) -> str:
    rest = [(key, other) for key, other in parse_qsl(_query(path)) if key != name]
    return f"{path.partition('?')[0]}?{urlencode([*rest, (name, value)])}"


def _query(path: str) -> str:
    return path.partition("?")[2]
