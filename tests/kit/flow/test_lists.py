"""The rules for a complete list; if one is broken, the list is read again or the sync fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_kit import ListPass, PageInfo, Places, SyncFailed, read_list
from tap_kit.flow.lists import PASSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Pages = list[tuple[list[int], PageInfo]]


def page(*records: int, total: int | None = None) -> tuple[list[int], PageInfo]:
    """Return a page with these records."""
    return list(records), PageInfo.of(records, total=total)


def passed(pages: Iterable[tuple[list[int], PageInfo]]) -> ListPass:
    """Return a pass with these pages."""
    one = ListPass("figures")
    for _, info in pages:
        one.add(info)
    return one


@dataclass
class Server:
    """A server that sends one pass after the other, and the last one repeatedly."""

    passes: list[Pages]
    started: int = field(default=0)

    def pages(self) -> Iterator[tuple[list[int], PageInfo]]:
        """Return the pages of the next pass."""
        self.started += 1
        yield from self.passes[min(self.started, len(self.passes)) - 1]


def changing(first: int) -> Pages:
    """Return a list that grows by one record while it is read."""
    return [page(first, total=2), page(first + 1, total=3)]


def test_page_info_describes_the_page() -> None:
    info = PageInfo.of([{"id": 1}, {"id": 2}], total=5, next_link="/figures?offset=2")
    assert (info.size, info.total, info.next) == (2, 5, "/figures?offset=2")


def test_fingerprint_depends_on_the_records_only() -> None:
    assert PageInfo.of([1, 2], total=2).fingerprint == PageInfo.of([1, 2]).fingerprint
    assert PageInfo.of([1, 2]).fingerprint != PageInfo.of([2, 1]).fingerprint
    assert PageInfo.of([1]).fingerprint != PageInfo.of(["1"]).fingerprint


def test_same_page_twice_fails_the_sync() -> None:
    with pytest.raises(SyncFailed) as caught:
        passed([page(1, 2), page(3, 4), page(1, 2)])
    problem = "the server sent the same page twice, so the list is incomplete"
    assert str(caught.value) == f"figures: {problem}"


def test_empty_page_can_occur_twice() -> None:
    assert passed([page(), page(1), page()]).next_pass() is None


def test_total_that_is_too_large_fails_the_sync_after_three_passes() -> None:
    server = Server([[page(1, 2, total=4), page(3, total=4)]])
    with pytest.raises(SyncFailed) as caught:
        read_list(server.pages, "figures")
    assert str(caught.value) == "figures: the server promised 4 records and sent 3"
    assert server.started == PASSES


@pytest.mark.parametrize("total", [None, 0, 1, 2, 3])
def test_list_is_complete_when_its_total_is_reached(total: int | None) -> None:
    """A total that is too small is wrong and proves nothing: the pages ended by themselves."""
    one = passed([page(1, 2, total=total), page(3)])
    assert one.next_pass() is None
    assert one.count == 3


def test_different_totals_cause_another_pass_from_the_start() -> None:
    one = passed(changing(1))
    following = one.next_pass()
    assert following is not None
    assert (following.what, following.number, following.count) == ("figures", 2, 0)
    following.add(page(1, total=3)[1])
    assert following.count == 1, "pages of the previous pass do not count"


def test_totals_that_count_their_own_page_prove_nothing() -> None:
    assert passed([page(1, 2, total=2), page(3, total=1)]).next_pass() is None
    assert passed([page(1, 2, total=2), page(3, total=2)]).next_pass() is None
    assert passed([page(1, 2, total=2), page(3, total=3)]).next_pass() is not None


def test_id_that_occurs_twice_causes_another_pass() -> None:
    within = PageInfo.of(["a", "b"], ids=["1", "1"])
    across = [PageInfo.of(["a"], ids=["1"]), PageInfo.of(["b"], ids=["1"])]
    for infos in ([within], across):
        one = ListPass("figures")
        for info in infos:
            one.add(info)
        assert one.next_pass() is not None


def test_ids_of_other_types_are_not_compared() -> None:
    one = ListPass("figures")
    one.add(PageInfo.of(["a", "b"], ids=[None, None]))
    one.add(PageInfo.of(["c", "d"], ids=[{}, {}]))
    assert one.next_pass() is None


def test_only_so_many_ids_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tap_kit.flow.lists.MAX_IDS", 2)
    one = ListPass("figures")
    one.add(PageInfo.of(["a", "b", "c"], ids=["1", "2", "3"]))
    one.add(PageInfo.of(["d"], ids=["3"]))
    assert one.next_pass() is None, "the third id was not kept"
    one.add(PageInfo.of(["e"], ids=["2"]))
    assert one.next_pass() is not None


@pytest.mark.parametrize("claim", [{"total": 9}, {"next_link": "/more"}], ids=str)
def test_two_empty_pages_that_claim_more_end_the_list(claim: dict[str, Any]) -> None:
    one, empty = ListPass("figures"), PageInfo.of([], **claim)
    one.add(empty)
    one.add(PageInfo.of([1], **claim))
    one.add(empty)
    with pytest.raises(SyncFailed) as caught:
        one.add(empty)
    problem = "the server claims more records, but sent two empty pages in a row"
    assert str(caught.value) == f"figures: {problem}, so the list is incomplete"


def test_place_that_was_requested_before_is_refused() -> None:
    places = Places("/figures?offset=0")
    places.add("/figures?offset=1")
    with pytest.raises(SyncFailed) as caught:
        places.add("/figures?offset=0")
    problem = "the link to the next page leads to a page that was read before"
    assert str(caught.value) == f"/figures: {problem}"


def test_equal_pages_can_be_data() -> None:
    class Result(ListPass):
        equal_pages_are_data = True

    one = Result("figures")
    one.add(page(1, 1)[1])
    assert one.has_page(page(1, 1)[1])
    one.add(page(1, 1)[1])
    assert one.count == 4


def test_last_pass_over_a_changing_list_fails_the_sync() -> None:
    one = ListPass("figures", number=PASSES)
    for _, info in changing(1):
        one.add(info)
    with pytest.raises(SyncFailed) as caught:
        one.next_pass()
    assert str(caught.value) == "figures: the list changed during each of 3 passes over it"


def test_next_pass_keeps_the_type_and_resets_its_fields() -> None:
    @dataclass
    class Sum(ListPass):
        sum: int = field(default=0, init=False)

    one = Sum("figures")
    one.sum = 7
    for _, info in changing(1):
        one.add(info)
    following = one.next_pass()
    assert isinstance(following, Sum)
    assert following.sum == 0


def test_whole_list_is_read_in_one_pass() -> None:
    server = Server([[page(1, 2, total=3), page(3, total=3)]])
    assert read_list(server.pages, "figures") == [1, 2, 3]
    assert server.started == 1


def test_list_that_changes_is_read_again_and_only_its_last_pass_counts() -> None:
    server = Server([changing(1), changing(5), [page(7, 8, total=2)]])
    assert read_list(server.pages, "figures") == [7, 8]
    assert server.started == 3


def test_list_that_changes_in_every_pass_fails_the_sync() -> None:
    server = Server([changing(1)])
    with pytest.raises(SyncFailed, match=r"^figures: the list changed during each of 3 passes"):
        read_list(server.pages, "figures")
    assert server.started == PASSES


def test_list_without_pages_is_empty() -> None:
    assert read_list(Server([[]]).pages, "figures") == []


@given(sizes=st.lists(st.integers(1, 5), max_size=8), missing=st.integers(0, 3))
def test_list_is_complete_exactly_when_its_total_is_reached(sizes: list[int], missing: int) -> None:
    count = sum(sizes)
    ends = [sum(sizes[: place + 1]) for place in range(len(sizes))]
    pages = [
        page(*range(end - size, end), total=count + missing)
        for end, size in zip(ends, sizes, strict=True)
    ]
    if missing and pages:
        with pytest.raises(SyncFailed, match=f"promised {count + missing} records"):
            read_list(Server([pages]).pages, "figures")
    else:
        assert read_list(Server([pages]).pages, "figures") == list(range(count))


def test_list_that_never_ends_is_an_error_before_it_fills_the_memory() -> None:
    requested = 0

    def pages() -> Iterator[tuple[list[str], PageInfo]]:
        nonlocal requested
        while True:
            requested += 1
            records = [f"{requested}" + "x" * (1 << 20)]
            yield records, PageInfo.of(records, next_link=f"/{requested}")

    with pytest.raises(SyncFailed, match=r"^figures: the list has more than 32 MiB of records$"):
        read_list(pages, "figures")
    assert requested == 32


def test_ids_with_equal_hashes_are_different_ids() -> None:
    one = ListPass("figures")
    one.add(PageInfo.of([-1, -2], ids=[-1, -2]))
    assert one.next_pass() is None


def test_information_about_a_page_has_what_the_server_states() -> None:
    info = PageInfo.of([{"id": 1}, {"id": 2}], total=9, next_link="/x?p=2", ids=[1, "2"], limit=50)
    assert (info.size, info.total, info.next, info.limit) == (2, 9, "/x?p=2", 50)
    assert info.length == len(b'[{"id":1},{"id":2}]')
    assert info.ids == [hash("1"), hash("2")]
