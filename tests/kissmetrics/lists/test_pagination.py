"""Pages of any size in any form: each record is read once, and an endless list fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_kissmetrics.lists.pagination import (
    LinkPaginator,
    OffsetPaginator,
    Page,
    PageSizes,
    further_pages,
    offset_of,
    with_offset,
)
from tap_kit import ListPass, PageInfo, SyncFailed, read_list

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_kissmetrics.lists.pagination import Place

FIRST = "/core/products?limit=1000&offset=0&sort=name"
HOST = "https://api.example"
FORMS = st.sampled_from(["total", "next", "total and next", "neither"])
COUNTS = st.integers(0, 40)
SIZES = st.integers(1, 12)


@dataclass
class Server:
    """A list of ``count`` records, in pages of ``largest`` records at most, in one of the forms.

    ``thin`` are the sizes of the first pages, if they are smaller; ``is_stuck`` is a server that
    ignores the offset.
    """

    count: int
    largest: int
    form: str
    thin: Sequence[int] = ()
    is_stuck: bool = False
    requested: list[str] = field(default_factory=list)

    def page(self, path: str) -> Page:
        """Return the page of a path."""
        self.requested.append(path)
        assert len(self.requested) <= self.count + 5, "the list does not end"
        parameters = parse_qs(path.partition("?")[2])
        begin = 0 if self.is_stuck else offset_of(path)
        size = min(self.largest, int(parameters["limit"][0]))
        if len(self.requested) <= len(self.thin):
            size = min(size, self.thin[len(self.requested) - 1])
        end = min(begin + size, self.count)
        records: list[Any] = [{"id": number} for number in range(begin, end)]
        more = HOST + with_offset(path, end) if end < self.count else None
        info = PageInfo.of(
            records,
            total=self.count if "total" in self.form else None,
            next_link=more if "next" in self.form else None,
        )
        return Page(records, info)

    def everything(self) -> list[Any]:
        """Return all records."""
        return [{"id": number} for number in range(self.count)]


def paginator() -> LinkPaginator:
    return LinkPaginator(FIRST, lambda link: link.removeprefix(HOST))


def read_ahead(server: Server) -> list[Any]:
    """Return all records, read as a stream does: a page makes others known."""
    one: ListPass | None = ListPass("the list")
    while one is not None:
        records: list[Any] = []
        sources: list[Iterator[Place]] = [iter([paginator()])]
        while sources:
            place = next(sources[-1], None)
            if place is None:
                sources.pop()
                continue
            page = server.page(place.path)
            is_ahead = one.count == 0 and one.number == 1
            one.add(page.info)
            records += page.records
            sources.append(further_pages(place, page.info, is_ahead=is_ahead))
        one = one.next_pass()
    return records


def read_in_order(server: Server) -> list[Any]:
    """Return all records, read one page after the other."""
    return read_list(lambda: paginator().read(server.page), "the list")


READERS = st.sampled_from([read_ahead, read_in_order])


@given(count=COUNTS, largest=SIZES, form=FORMS, read=READERS)
def test_every_record_is_read_once_and_in_order(
    count: int, largest: int, form: str, read: Any
) -> None:
    server = Server(count, largest, form)
    assert read(server) == server.everything()
    assert len(set(server.requested)) == len(server.requested), "no page is requested twice"
    assert all("sort=name" in path for path in server.requested), (
        "the parameters of the vendor's link are kept"
    )
    needed = max(1, -(-count // largest))
    assert len(server.requested) <= needed + ("total" not in form), "one empty page ends the list"


@given(count=COUNTS, thin=st.lists(SIZES, max_size=8), form=FORMS.filter(lambda f: f != "neither"))
def test_short_pages_read_in_order_lose_no_record(count: int, thin: list[int], form: str) -> None:
    server = Server(count, 12, form, thin)
    assert read_in_order(server) == server.everything()


@given(count=COUNTS, thin=st.lists(SIZES, max_size=8), form=st.sampled_from(["total", "next"]))
def test_short_pages_read_ahead_lose_no_record_silently(
    count: int, thin: list[int], form: str
) -> None:
    """The size of the first page sets the offsets and the limits of the others."""
    server = Server(count, 12, form, thin)
    try:
        found = read_ahead(server)
    except SyncFailed as error:
        assert f"promised {count} records" in str(error)  # noqa: PT017
        return
    assert found == server.everything()


@given(count=st.integers(2, 40), largest=SIZES, form=FORMS, read=READERS)
def test_server_that_ignores_the_offset_fails_the_sync(
    count: int, largest: int, form: str, read: Any
) -> None:
    server = Server(count, largest, form, is_stuck=True)
    if "total" not in form or largest < count:
        with pytest.raises(SyncFailed, match=r"same page twice|was read before"):
            read(server)
    else:
        assert read(server) == server.everything()


@given(counts=st.lists(COUNTS, min_size=1, max_size=5), largest=SIZES, limit=SIZES)
def test_lists_of_version_3_are_read_list_one_after_the_other(
    counts: list[int], largest: int, limit: int
) -> None:
    """What is known of the server's page sizes from one list loses no record of the next."""
    sizes = PageSizes()
    for count in counts:
        server = Server(count, largest, "neither")
        pages = OffsetPaginator("/products", limit, sizes).read(server.page)
        records = [record for page, _ in pages for record in page]
        assert records == server.everything()
        assert len(server.requested) <= count // min(largest, limit) + 2


@given(
    path=st.sampled_from(["/core/x", "/core/x?a=1", "/core/x?offset=7&a=b%26c", "/x?offset=no"]),
    offset=st.integers(0, 10**9),
)
def test_path_with_another_offset_has_exactly_one_offset(path: str, offset: int) -> None:
    moved = with_offset(path, offset)
    assert offset_of(moved) == offset
    assert moved.count("offset=") == 1
    assert with_offset(moved, 5) == with_offset(path, 5)
