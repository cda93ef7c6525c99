"""Shards: shard 0 reads all exports, since they have no partitions to divide."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from orchestration.reshard import merged
from tests.khoros_analytics.site import ONE_DAY, catalog_of, tenant
from tests.shards import loaded, run_in_shards

if TYPE_CHECKING:
    from tests.khoros_analytics.conftest import Serve
    from tests.singer import Output

LATER: dict[str, Any] = {"end_date": "2024-02-02"}


@cache
def whole_day() -> Output:
    """Return the output of one run without shards."""
    with tenant() as site:
        return site.sync(**ONE_DAY)


@pytest.mark.parametrize("count", [1, 3])
def test_shards_together_read_what_one_run_reads(serve: Serve, count: int) -> None:
    """One shard reads all report types of the conversations, whose order matters."""
    whole = whole_day()
    site = serve()
    parts = run_in_shards(site, count, **ONE_DAY)
    assert loaded(*parts).content == loaded(whole).content
    assert set(site.starts.values()) == {1}, "two shards started the same export"
    for part in parts[1:]:
        assert part.streams == whole.streams, "every shard writes all schemas"
        assert not any(part.record_counts.values())


def test_another_number_of_shards_resumes_from_the_joined_states(serve: Serve) -> None:
    streams = ("author", "conversation", "team_performance", "teams", "timezones", "user")
    settings: dict[str, Any] = {"catalog": catalog_of(*streams)}
    whole = loaded(serve().sync(**settings, **LATER)).content
    site = serve()
    first = run_in_shards(site, 3, **settings, **ONE_DAY)
    state = merged(part.state for part in first)
    second = run_in_shards(site, 2, [state] * 2, **settings, **LATER)
    assert loaded(*first, *second).content == whole
    assert set(site.starts.values()) == {1}, "an export was started twice"
