"""Pages of the vendor's lists, in seven forms (see docs/reference/kissmetrics.md, section 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, parse_qsl, urlencode

import msgspec
from requests.utils import parse_header_links
from tap_kit import PageInfo, SyncFailed
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tap_kit import Response


class Page(NamedTuple):
    """One page of any form."""

    records: list[Any]
    info: PageInfo
    columns: list[Any] | None = None  # the labels that results of a report may come with


def is_record(value: Any) -> bool:
    """Return whether a value can be a record of a list: an object with an id, or a row of one."""
    return isinstance(value, msgspec.Struct) or (isinstance(value, dict) and "id" in value)


def is_templated(link: Mapping[str, Any]) -> bool:
    """Return whether a link's ``href`` is a template; a Link header has the flag as text."""
    return str(link.get("templated", "false")).lower() == "true"


def records_of(value: Any) -> list[Any] | None:
    """Return the records of a response, an array or an envelope; None when it has no list."""
    body = value if isinstance(value, dict) else {"data": value}
    records = body.get("data", body.get("rows"))
    if records == {}:  # the vendor's own client takes it for an empty list
        return []
    return records if isinstance(records, list) else None


def page_of(response: Response) -> Page:
    """Return the page in a response; its links are in the body, in the header, or missing."""
    body = response.value if isinstance(response.value, dict) else {}
    records = records_of(response.value) or []
    links = [*(body.get("links") or []), *parse_header_links(response.headers.get("Link", ""))]
    following = (
        str(link.get("href") or link.get("url"))
        for link in links
        if link.get("rel") == "next" and not is_templated(link)
    )
    info = PageInfo.of(records, total=_total(body), next_link=next(following, None))
    columns = body.get("columns")
    return Page(records, info, columns if isinstance(columns, list) else None)


def _total(body: dict[str, Any]) -> int | None:
    pagination = body.get("pagination")
    total = pagination.get("total") if isinstance(pagination, dict) else body.get("total")
    return int(total) if isinstance(total, int | str) and str(total).isdecimal() else None


class KnownPage:
    """A page whose path was known before the page in front of it was read."""

    def __init__(self, path: str) -> None:
        self.path = path


class LinkPaginator:
    """Paths of the pages of one list: by the ``next`` link, else by offset.

    Without a link and without a total it continues until a page is empty or shorter than the first
    one. The requested page size proves nothing, as a server may send fewer.
    """

    def __init__(self, first: str, path_of: Callable[[str], str]) -> None:
        self.path = first  # of the current page
        self.is_finished = False
        self._path_of = path_of
        self._step: int | None = None

    def advance(self, page: PageInfo) -> None:
        """Go to the page after the current one, which is ``page``.

        Raises:
            SyncFailed: when that is the same page again.
        """
        following = self.next_path(page)
        if following == self.path:
            path = self.path.partition("?")[0]
            msg = f"{path}: its link to the next page leads to itself"
            raise SyncFailed(msg)
        self.path = following or self.path
        self.is_finished = following is None

    def next_path(self, page: PageInfo) -> str | None:
        """Return the path of the next page; None after the last one."""
        if page.next is not None:
            return self._path_of(page.next)
        offset = offset_of(self.path) + page.size
        following = with_offset(self.path, offset) if page.size else None
        if page.total is not None:
            return following if offset < page.total else None
        if self._step is None:
            self._step = page.size
        return following if page.size >= self._step else None

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
        larger page would contain records of the one after it too. The last one can advance: if a
        page in between was short, records are left after it.
        """
        following = self._path_of(first.next) if first.next else self.path
        named = parse_qs(_query(following))
        if first.total is None or not first.size or "offset" not in named:
            return None
        begin = offset_of(self.path) + first.size
        path = _with(following, "limit", first.size) if "limit" in named else following
        return self._pages(path, range(begin, first.total, first.size))

    def _pages(self, path: str, offsets: range) -> Iterator[LinkPaginator | KnownPage]:
        for offset in offsets[:-1]:
            yield KnownPage(with_offset(path, offset))
        for offset in offsets[-1:]:
            yield LinkPaginator(with_offset(path, offset), self._path_of)


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


def further_pages(place: Place, info: PageInfo, *, is_first: bool) -> Iterator[Place]:
    """Return the pages that a page makes known: all others, the next one, or none."""
    if isinstance(place, KnownPage):
        return
    rest = place.rest(info) if is_first else None
    if rest is not None:
        yield from rest
        return
    place.advance(info)
    if not place.is_finished:
        yield place


def first_page(path: str, limit: int) -> str:
    """Return the path of the first page of a list, of at most ``limit`` records."""
    return f"{path}?limit={limit}&offset=0"


def offset_of(path: str) -> int:
    """Return the offset in a page's path; 0 where it has none that is a number."""
    offset = parse_qs(_query(path)).get("offset", ["0"])[0]
    return int(offset) if offset.isdecimal() else 0


def with_offset(path: str, offset: int) -> str:
    """Return the path of the same list from another offset on."""
    return _with(path, "offset", offset)


def _with(path: str, name: str, value: int) -> str:
    rest = [(key, other) for key, other in parse_qsl(_query(path)) if key != name]
    return f"{path.partition('?')[0]}?{urlencode([*rest, (name, value)])}"


def _query(path: str) -> str:
    return path.partition("?")[2]
