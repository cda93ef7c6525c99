"""Shards: shard 0 reads all exports, since they have no partitions to divide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from orchestration.reshard import merged
from tests.khoros_analytics.site import ONE_DAY
from tests.shards import loaded, run_in_shards

if TYPE_CHECKING:
    from tests.khoros_analytics.conftest import Serve

LATER: dict[str, Any] = {"end_date": "2024-02-02"}


@pytest.mark.parametrize("count", [1, 3])
def test_shards_together_read_what_one_run_reads(serve: Serve, count: int) -> None:
    """One shard reads all report types of the conversations, whose order matters."""
    whole = serve().sync(**ONE_DAY)
    site = serve()
    parts = run_in_shards(site, count, **ONE_DAY)
    assert loaded(*parts).content == loaded(whole).content
    assert set(site.starts.values()) == {1}, "two shards started the same export"
    for part in parts[1:]:
        assert part.streams == whole.streams, "every shard writes all schemas"
        assert not any(part.record_counts.values())


def test_another_number_of_shards_resumes_from_the_joined_states(serve: Serve) -> None:
    whole = loaded(serve().sync(**LATER)).content
    site = serve()
    first = run_in_shards(site, 3, **ONE_DAY)
    state = merged(part.state for part in first)
    second = run_in_shards(site, 2, [state] * 2, **LATER)
    assert loaded(*first, *second).content == whole
    assert set(site.starts.values()) == {1}, "an export was started twice"
