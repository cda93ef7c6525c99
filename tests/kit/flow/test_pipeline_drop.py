"""Dropped tasks have no results and no errors, even if they have started."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_kit.errors import SyncFailed
from tap_kit.flow.pipeline import Pipeline

from tests.kit.pipelines import no_heartbeat

if TYPE_CHECKING:
    from collections.abc import Iterator

Place = tuple[int, int]  # a group and one of its pages


@dataclass
class Groups:
    """Groups of pages, with their lengths; a refused page ends its group."""

    lengths: list[int]
    refused: set[Place]
    broken: set[Place]
    dropped: set[int] = field(default_factory=set)

    def read(self, place: Place) -> bool:
        """Return whether the page is refused.

        Raises:
            SyncFailed: if the page is broken.
        """
        if place in self.broken:
            raise SyncFailed(str(place))
        return place in self.refused

    def one_by_one(self) -> Iterator[Place]:
        """Yield the pages as they are returned if nothing is read ahead."""
        for place in self.planned():
            if place in self.broken:
                return
            yield place
            if place in self.refused:
                self.dropped.add(place[0])

    def planned(self) -> Iterator[Place]:
        """Yield all pages of groups that are not dropped."""
        for group, length in enumerate(self.lengths):
            for page in range(length):
                if group not in self.dropped:
                    yield group, page

    def first_pages(self) -> Iterator[Place]:
        """Yield the first page of each group; ``next_page`` returns the others."""
        yield from ((group, 0) for group, length in enumerate(self.lengths) if length)

    def next_page(self, place: Place, _is_refused: object) -> Iterator[Place]:
        """Yield the next page, if there is one."""
        group, page = place
        if page + 1 < self.lengths[group]:
            yield group, page + 1

    def returned(self, pipeline: Pipeline[Place, bool]) -> Iterator[Place]:
        """Yield the pages that a pipeline returns."""
        try:
            while (place := pipeline.head) is not None:
                is_refused = pipeline.take(no_heartbeat)
                yield place
                if is_refused:
                    self.dropped.add(place[0])
                    pipeline.drop(lambda one: one[0] in self.dropped)
        except SyncFailed:
            pipeline.close()


PLACES = st.sets(st.tuples(st.integers(0, 3), st.integers(0, 6)), max_size=6)


@pytest.mark.parametrize("has_follow_ups", [False, True])
@given(
    lengths=st.lists(st.integers(0, 7), max_size=4),
    refused=PLACES,
    broken=PLACES,
    workers=st.integers(1, 6),
)
def test_dropped_group_ends_as_if_tasks_were_done_one_by_one(
    *,
    lengths: list[int],
    refused: set[Place],
    broken: set[Place],
    workers: int,
    has_follow_ups: bool,
) -> None:
    groups, same = Groups(lengths, refused, broken), Groups(lengths, refused, broken)
    pipeline = (
        Pipeline(groups.first_pages(), groups.read, workers=workers, follow_ups=groups.next_page)
        if has_follow_ups
        else Pipeline(groups.planned(), groups.read, workers=workers)
    )
    assert list(groups.returned(pipeline)) == list(same.one_by_one())
