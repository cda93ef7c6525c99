"""A list is read whole, or one line says that it is not; in a bounded number of requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox.exchange import json_response
from tap_kissmetrics.lists.pagination import LinkPaginator, Page, further_pages, offset_of
from tap_kit import ListPass, PageInfo, SyncFailed, read_list

from tests.kissmetrics.canned import Canned, records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sandbox.exchange import Request
    from tap_kissmetrics.lists.pagination import Place

FIRST = "/core/events?limit=5&offset=0"
TOTALS: dict[str, Callable[[int, int], int | None]] = {
    "none": lambda _count, _size: None,
    "right": lambda count, _size: count,
    "of the page": lambda _count, size: size,
    "too large": lambda count, _size: count + 3,
    "too small": lambda count, _size: count // 2,
    "huge": lambda _count, _size: 10**15,
}


@dataclass
class Server:
    """A list of ``count`` records; each field is a way in which its pages can be wrong.

    ``empty`` and ``short`` are the numbers of requests that get an empty or a shorter page.
    ``turn_at`` is the number of the request before which the last record moves to the front.
    """

    count: int
    total: str
    links: str  # none, right, cycle, endless
    largest: int = 5
    is_stuck: bool = False
    empty: frozenset[int] = frozenset()
    short: frozenset[int] = frozenset()
    turn_at: int | None = None
    requests: int = field(default=0, init=False)

    def page(self, path: str) -> Page:
        """Return the page of a path."""
        self.requests += 1
        items = list(range(self.count))
        if self.turn_at is not None and self.requests > self.turn_at:
            items = items[-1:] + items[:-1]
        limit = int(parse_qs(path.partition("?")[2])["limit"][0])
        begin = 0 if self.is_stuck else offset_of(path)
        size = min(limit, self.largest)
        size = 0 if self.requests in self.empty else size
        size = max(1, size // 2) if self.requests in self.short and size else size
        found: list[Any] = [{"id": item} for item in items[begin : begin + size]]
        info = PageInfo.of(
            found,
            total=TOTALS[self.total](self.count, len(found)),
            next_link=self._next(begin + len(found)),
            ids=[one["id"] for one in found],
        )
        return Page(found, info)

    def _next(self, end: int) -> str | None:
        if self.links == "endless":
            return f"/core/events?limit=5&offset={end}&request={self.requests}"
        if self.links == "cycle" and end >= self.count:
            return "/core/events?limit=5&offset=5"
        is_link = self.links != "none" and end < self.count
        return f"/core/events?limit=5&offset={end}" if is_link else None


def read_as_stream(server: Server) -> list[Any]:
    """Return all records, read as a stream does: a page makes others known."""
    one: ListPass | None = ListPass("events")
    found: list[Any] = []
    while one is not None:
        found = []
        sources: list[Iterator[Place]] = [iter([LinkPaginator(FIRST, str)])]
        is_first = True
        while sources:
            place = next(sources[-1], None)
            if place is None:
                sources.pop()
                continue
            page = server.page(place.path)
            one.add(page.info)
            found += page.records
            is_ahead = is_first and one.number == 1
            sources.append(further_pages(place, page.info, is_ahead=is_ahead))
            is_first = False
        one = one.next_pass()
    return found


def read_before_the_plan(server: Server) -> list[Any]:
    """Return all records of a list that the plan depends on."""
    return read_list(lambda: LinkPaginator(FIRST, str).read(server.page), "events")


REQUESTS = st.frozensets(st.integers(1, 12), max_size=4)
SERVERS = st.builds(
    Server,
    count=st.integers(0, 40),
    total=st.sampled_from([*TOTALS]),
    links=st.sampled_from(["none", "right", "cycle", "endless"]),
    largest=st.integers(1, 6),
    is_stuck=st.booleans(),
    empty=REQUESTS,
    short=REQUESTS,
    turn_at=st.none() | st.integers(1, 12),
)
READERS = st.sampled_from([read_as_stream, read_before_the_plan])


@given(server=SERVERS, read=READERS)
def test_any_list_ends_and_what_proves_itself_is_whole(server: Server, read: Any) -> None:
    proves_itself = server.total in {"right", "too large", "huge"} or server.links != "none"
    try:
        found = [one["id"] for one in read(server)]
    except SyncFailed as error:
        lines = str(error).splitlines()
    else:
        lines = []
        assert len(set(found)) == len(found), "no record is read twice"
        if proves_itself:
            assert set(found) == set(range(server.count))
    assert len(lines) <= 1
    needed = server.count + len(server.short) + len(server.empty)
    assert server.requests <= 3 * (needed + 4)


@given(
    count=st.integers(0, 40),
    total=st.sampled_from(["none", "right", "of the page", "too small"]),
    read=READERS,
)
def test_links_lead_to_the_end_whatever_the_total_says(count: int, total: str, read: Any) -> None:
    server = Server(count, total, "right")
    assert [one["id"] for one in read(server)] == list(range(count))


@pytest.mark.parametrize("read", [read_as_stream, read_before_the_plan])
@pytest.mark.parametrize("links", ["none", "right"])
def test_full_page_whose_total_is_its_own_count_is_not_the_last(links: str, read: Any) -> None:
    server = Server(12, "of the page", links)
    assert [one["id"] for one in read(server)] == list(range(12))
    assert server.requests <= 4


@pytest.mark.parametrize("read", [read_as_stream, read_before_the_plan])
def test_record_that_moved_to_another_page_is_not_lost(read: Any) -> None:
    """The total stays the same; that a record occurs twice proves that another one is missing."""
    server = Server(20, "right", "right", turn_at=2)
    assert {one["id"] for one in read(server)} == set(range(20))
    assert server.requests == 8


@pytest.mark.parametrize(
    ("total", "links"), [("huge", "none"), ("huge", "right"), ("none", "endless")]
)
@pytest.mark.parametrize("read", [read_as_stream, read_before_the_plan])
def test_empty_pages_that_claim_more_end_the_list(total: str, links: str, read: Any) -> None:
    server = Server(5, total, links)
    with pytest.raises(SyncFailed) as caught:
        read(server)
    assert server.requests <= 9
    assert str(caught.value).startswith("events: ")


def test_short_page_stops_the_pages_that_are_read_ahead() -> None:
    """Their offsets are wrong, so the list is read again, one page after the other."""
    server = Server(100, "right", "none", short=frozenset({2}))
    assert len(read_as_stream(server)) == 100
    assert server.requests == 2 + 20


def linked(following: Callable[[Request], str | None], **around: Any) -> Callable[[Request], Any]:
    """Return a list without records whose pages lead to each other."""

    def page(request: Request) -> dict[str, Any]:
        link = {"rel": "next", "href": following(request)}
        return {"data": [], "links": [link], **around}

    return page


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize(
    "page",
    [
        linked(lambda r: f"/core/events?page={int(r.parameter('page') or 0) + 1}"),
        linked(lambda r: f"/core/events?page={1 - int(r.parameter('page') or 0)}"),
        linked(lambda r: f"/core/events?page={int(r.parameter('page') or 0) + 1}", total=10**15),
    ],
    ids=["endless", "cycle", "huge"],
)
def test_links_over_empty_pages_end_after_two(page: Callable[[Request], Any], workers: int) -> None:
    with Canned({"/core/events": page}) as server, pytest.raises(SyncFailed) as caught:
        server.sync("events", max_concurrency=workers)
    problem = "the server claims more records, but sent two empty pages in a row"
    assert problem in str(caught.value) or "was read before" in str(caught.value)
    assert len(server.requested("/core/events")) <= 2 + 3 * workers


def test_total_of_a_quadrillion_over_empty_pages_ends_the_list() -> None:
    def page(request: Request) -> dict[str, Any]:
        rows = records(5) if request.parameter("offset") == "0" else []
        return {"data": rows, "pagination": {"total": 10**15}}

    with Canned({"/core/events": page}) as server, pytest.raises(SyncFailed) as caught:
        server.sync("events", page_size=5, max_concurrency=2)
    assert "two empty pages" in str(caught.value) or "promised" in str(caught.value)
    assert len(server.requested("/core/events")) <= 12


@pytest.mark.parametrize("totals", [lambda size: size, lambda _size: 20], ids=["own", "constant"])
def test_total_that_counts_one_page_does_not_drop_the_link(totals: Callable[[int], int]) -> None:
    def page(request: Request) -> dict[str, Any]:
        begin = int(request.parameter("offset") or 0)
        rows = records(45)[begin : begin + 20]
        more = f"/core/events?limit=20&offset={begin + 20}" if begin < 40 else None
        links = [{"rel": "next", "href": more}] if more else []
        return {"data": rows, "links": links, "pagination": {"total": totals(len(rows))}}

    with Canned({"/core/events": page}) as server:
        assert len(server.sync("events", page_size=20).rows("events")) == 45


@dataclass
class Rows:
    """A result of a query in pages, from a server that may ignore the offset."""

    rows: Sequence[Any]
    is_stuck: bool = False

    def __call__(self, request: Request) -> Any:
        """Return a page."""
        offset, limit = (int(request.parameter(name) or 0) for name in ("offset", "limit"))
        begin = 0 if self.is_stuck else offset
        return {"data": self.rows[begin : begin + limit]}


def test_equal_pages_of_a_result_are_data() -> None:
    with Canned({"/v2/queries/q1/results": Rows([[1, "a@x", 2]] * 130)}) as server:
        rows = server.sync("report_results", page_size=50).rows("report_results")
    assert len(rows) == 130
    assert len({row["row_id"] for row in rows}) == 130


def test_server_that_ignores_the_offset_of_a_result_is_found_out() -> None:
    results = Rows([[number, "a@x", 2] for number in range(130)], is_stuck=True)
    with Canned({"/v2/queries/q1/results": results}) as server, pytest.raises(SyncFailed) as error:
        server.sync("report_results", page_size=50, max_concurrency=1)
    assert "sent the same page twice" in str(error.value)
    assert len(server.requested("/results")) < 12


def test_offset_that_the_server_refuses_is_not_ignored() -> None:
    whole = Rows([[1, "a@x", 2]] * 130)

    def page(request: Request) -> Any:
        is_far = int(request.parameter("offset") or 0) > 130
        return json_response({}, 400) if is_far else whole(request)

    with Canned({"/v2/queries/q1/results": page}) as server:
        assert len(server.sync("report_results", page_size=50).rows("report_results")) == 130


def test_equal_pages_behind_cursors_are_data() -> None:
    def page(request: Request) -> Any:
        number = int(request.parameter("cursor") or 0)
        links = [{"rel": "next", "href": f"/v2/queries/q1/results?cursor={number + 1}"}]
        return {"data": [[1, "a@x", 2]] * 10, "links": links if number < 3 else []}

    with Canned({"/v2/queries/q1/results": page}) as server:
        assert len(server.sync("report_results", page_size=10).rows("report_results")) == 40


def test_result_with_fewer_rows_than_its_total_is_read_again() -> None:
    """In its second pass one page after the other, from the offset that a short page leaves."""
    seen: list[str] = []

    def page(request: Request) -> Any:
        seen.append(request.target)
        offset = int(request.parameter("offset") or 0)
        size = 3 if len(seen) == 2 else 5
        rows = [[number, "a@x", 2] for number in range(20)][offset : offset + size]
        return {"data": rows, "pagination": {"total": 20}}

    with Canned({"/v2/queries/q1/results": page}) as server:
        output = server.sync("report_results", page_size=5, max_concurrency=1)
    rows = {row["row_id"]: row["row_number"] for row in output.rows("report_results")}
    assert sorted(rows.values()) == list(range(1, 21))
    (part,) = output.state["bookmarks"]["report_results"]["partitions"]
    assert part["replication_key_value"][:10] == "2024-02-01"
