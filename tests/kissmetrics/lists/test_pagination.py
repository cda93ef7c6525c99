"""Pages of any size in any form: each record once, an end, and what does not end is told."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_kissmetrics.lists.pagination import (
    CorePaginator,
    OffsetPaginator,
    Page,
    PageSizes,
    Reading,
    facts_of,
    further_pages,
    offset_of,
    read_once,
    with_offset,
)
from tap_kit.errors import SyncFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_kissmetrics.lists.pagination import KnownPage

FIRST = "/core/products?limit=1000&offset=0&sort=name"
HOST = "https://api.example"
FORMS = st.sampled_from(["total", "next", "total and next", "neither"])
COUNTS = st.integers(0, 40)
SIZES = st.integers(1, 12)


@dataclass
class Server:
    """A list of so many records, ``largest`` at a time at most, in one of the forms.

    ``thin`` are the sizes of pages that are smaller, one after the other; ``is_stuck`` is a
    server that does not look at the offset.
    """

    count: int
    largest: int
    form: str
    thin: Sequence[int] = ()
    is_stuck: bool = False
    asked: list[str] = field(default_factory=list)

    def page(self, path: str) -> Page:
        """The page of a path."""
        self.asked.append(path)
        assert len(self.asked) <= self.count + 5, "it does not end"
        parameters = parse_qs(path.partition("?")[2])
        begin = 0 if self.is_stuck else offset_of(path)
        size = min(self.largest, int(parameters["limit"][0]))
        if len(self.asked) <= len(self.thin):
            size = min(size, self.thin[len(self.asked) - 1])
        end = min(begin + size, self.count)
        records: list[Any] = [{"id": number} for number in range(begin, end)]
        more = HOST + with_offset(path, end) if end < self.count else None
        facts = facts_of(
            records,
            total=self.count if "total" in self.form else None,
            following=more if "next" in self.form else None,
        )
        return Page(records, facts)

    def everything(self) -> list[Any]:
        """All records."""
        return [{"id": number} for number in range(self.count)]


def paginator() -> CorePaginator:
    return CorePaginator(FIRST, lambda link: link.removeprefix(HOST))


def read_ahead(server: Server) -> list[Any]:
    """All records, as a stream reads them: a page makes others known."""
    to_read: deque[CorePaginator | KnownPage] = deque([paginator()])
    records, reading, is_first = [], Reading(), True
    while to_read:
        place = to_read.popleft()
        page = server.page(place.current_value)
        reading.add(page.facts, "the list")
        records += page.records
        to_read.extendleft(reversed([*further_pages(place, page.facts, is_first=is_first)]))
        is_first = False
    reading.check("the list")
    return records


def read_in_order(server: Server) -> list[Any]:
    """All records, one page after the other."""
    records, reading = read_once(paginator(), server.page, "the list")
    reading.check("the list")
    return records


READERS = st.sampled_from([read_ahead, read_in_order])


@given(count=COUNTS, largest=SIZES, form=FORMS, read=READERS)
def test_each_record_comes_once_and_in_order(
    count: int, largest: int, form: str, read: Any
) -> None:
    server = Server(count, largest, form)
    assert read(server) == server.everything()
    assert len(set(server.asked)) == len(server.asked), "no page is asked for twice"
    assert all("sort=name" in path for path in server.asked), "what the vendor's link has is kept"
    needed = max(1, -(-count // largest))
    assert len(server.asked) <= needed + ("total" not in form), "an empty page tells the end"


@given(count=COUNTS, thin=st.lists(SIZES, max_size=8), form=FORMS.filter(lambda f: f != "neither"))
def test_thin_pages_lose_nothing_where_they_are_read_in_order(
    count: int, thin: list[int], form: str
) -> None:
    server = Server(count, 12, form, thin)
    assert read_in_order(server) == server.everything()


@given(count=COUNTS, thin=st.lists(SIZES, max_size=8), form=st.sampled_from(["total", "next"]))
def test_thin_pages_lose_nothing_unsaid_where_they_are_read_ahead(
    count: int, thin: list[int], form: str
) -> None:
    """The first page tells how far apart the others are, and how much they are asked for."""
    server = Server(count, 12, form, thin)
    try:
        found = read_ahead(server)
    except SyncFailed as error:
        assert f"there are {count} records" in str(error)  # noqa: PT017
        return
    assert found == server.everything()


@given(count=st.integers(2, 40), largest=SIZES, form=FORMS, read=READERS)
def test_a_server_that_does_not_move_on_is_told(
    count: int, largest: int, form: str, read: Any
) -> None:
    server = Server(count, largest, form, is_stuck=True)
    if "total" not in form or largest < count:
        with pytest.raises(SyncFailed, match=r"same page twice|leads to itself"):
            read(server)
    else:
        assert read(server) == server.everything()


@given(counts=st.lists(COUNTS, min_size=1, max_size=5), largest=SIZES, limit=SIZES)
def test_lists_of_version_3_come_whole_one_after_the_other(
    counts: list[int], largest: int, limit: int
) -> None:
    """What one list taught of the server's pages may cost no record of the next."""
    sizes = PageSizes()
    for count in counts:
        server = Server(count, largest, "neither")
        records, _ = read_once(OffsetPaginator("/products", limit, sizes), server.page, "the list")
        assert records == server.everything()
        assert len(server.asked) <= count // min(largest, limit) + 2


@given(
    path=st.sampled_from(["/core/x", "/core/x?a=1", "/core/x?offset=7&a=b%26c", "/x?offset=no"]),
    offset=st.integers(0, 10**9),
)
def test_a_path_with_an_offset_has_just_that_one(path: str, offset: int) -> None:
    moved = with_offset(path, offset)
    assert offset_of(moved) == offset
    assert moved.count("offset=") == 1
    assert with_offset(moved, 5) == with_offset(path, 5)
