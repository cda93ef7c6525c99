"""Interrupted downloads resume after the rows they yielded, or fail with one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_kit.errors import Retriable, SyncFailed
from tap_kit.rows.streaming import read_with_resume

if TYPE_CHECKING:
    from collections.abc import Iterator


class Source:
    """A body with these batches, which is interrupted after some of them."""

    def __init__(self, batches: list[list[int]], breaks: list[int]) -> None:
        self._batches = batches
        self._breaks = breaks
        self.attempts = 0

    def open(self) -> Iterator[list[int]]:
        """Yield the batches of one attempt."""
        end = self._breaks[self.attempts] if self.attempts < len(self._breaks) else None
        self.attempts += 1
        yield from self._batches[:end]
        if end is not None:
            msg = "interrupted"
            raise Retriable(msg)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=5), st.lists(st.integers(0, 5), max_size=4))
def test_interrupted_download_resumes_after_the_rows_it_yielded(
    sizes: list[int], breaks: list[int]
) -> None:
    numbers = iter(range(100))
    batches = [[next(numbers) for _ in range(size)] for size in sizes]
    source = Source(batches, breaks)
    rows = [row for batch in read_with_resume(source.open, lambda _: None) for row in batch]
    assert rows == [*range(sum(sizes))]
    assert source.attempts == len(breaks) + 1


def test_interruptions_are_unlimited_between_new_rows() -> None:
    source = Source([[n] for n in range(40)], [*range(1, 40)])
    pauses: list[float] = []
    rows = [row for batch in read_with_resume(source.open, pauses.append) for row in batch]
    assert rows == [*range(40)]
    assert len(pauses) == 39


def test_five_tries_without_a_new_row_are_an_error() -> None:
    source = Source([[1], [2]], [1] * 9)
    pauses: list[float] = []
    batches = read_with_resume(source.open, pauses.append)
    assert next(batches) == [1]
    with pytest.raises(SyncFailed, match="interrupted; failed after 5 tries"):
        next(batches)
    assert source.attempts == 5
    assert pauses == [1.0, 2.0, 4.0, 8.0]


def test_shorter_second_body_is_an_error() -> None:
    bodies = [[[1, 2, 3]], [[1]]]

    def open_batches() -> Iterator[list[int]]:
        if len(bodies) == 2:
            yield from bodies.pop(0)
            msg = "interrupted"
            raise Retriable(msg)
        yield from bodies[0]

    with pytest.raises(SyncFailed, match="has 1 rows, but 3 were read from it before"):
        list(read_with_resume(open_batches, lambda _: None))


def test_resumption_is_logged_with_reason_and_row(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bodies = iter([[[1, 2]], [[1, 2], [3]]])

    def open_batches() -> Iterator[list[int]]:
        rows = next(bodies)
        yield from rows
        if len(rows) == 1:
            msg = "GET /file: the connection was lost"
            raise Retriable(msg)

    assert [list(batch) for batch in read_with_resume(open_batches, lambda _: None)] == [
        [1, 2],
        [3],
    ]
    assert caplog.messages == ["GET /file: the connection was lost; resuming after row 2 in 1.0 s"]


@pytest.mark.parametrize(
    ("retry_after", "pauses", "message"),
    [(300, [300], ""), (301, [], "busy; failed after 1 try"), (0.5, [1.0], "")],
)
def test_retry_after_beyond_the_limit_is_an_error(
    retry_after: float, pauses: list[float], message: str
) -> None:
    attempts: list[int] = []
    taken: list[float] = []

    def open_batches() -> Iterator[list[int]]:
        attempts.append(1)
        if len(attempts) == 1:
            msg = "busy"
            raise Retriable(msg, retry_after=retry_after)
        yield [1]

    if message:
        with pytest.raises(SyncFailed, match=f"^{message}$"):
            list(read_with_resume(open_batches, taken.append))
    else:
        assert list(read_with_resume(open_batches, taken.append)) == [[1]]
    assert taken == pauses
