"""Shards together read what one run reads, each partition once, for any number of shards."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest
from tap_kit.rows.keys import shard_of

from orchestration.reshard import merged
from tests.kindmetrics.site import catalog_of
from tests.shards import loaded, run_in_shards
from tests.singer import bookmark

if TYPE_CHECKING:
    from tests.kindmetrics.conftest import Serve
    from tests.kindmetrics.site import Site
    from tests.singer import Output, State

DOMAINS = 3
WINDOWED = ("domain_stats", "pages")  # two of them, one of which has several rows a day
SEGMENTS = [{"name": "all"}, {"name": "se", "country": "SE"}]
LATER: dict[str, Any] = {"end_date": "2024-02-07", "segments": SEGMENTS}


@dataclass(frozen=True)
class Sharded:
    """An account of which runs read the lists and two streams."""

    of: Site

    @cached_property
    def catalog(self) -> dict[str, Any]:
        """The catalog with these streams."""
        return catalog_of("account", "domains", "current_visitors", *WINDOWED)

    def sync(self, *, state: State | None = None, **changes: Any) -> Output:
        """Run the tap once."""
        return self.of.sync(state=state, catalog=self.catalog, **changes)


@pytest.fixture
def site(serve: Serve) -> Sharded:
    """An account with several domains, of which few streams are read."""
    return Sharded(serve(domains=DOMAINS))


def read_by(output: Output) -> set[tuple[int, str]]:
    """Return the partitions of which a run has figures."""
    return {(row["domain_id"], row["segment"]) for row in output.rows("domain_stats")}


@pytest.mark.parametrize("count", [1, 2, 7])
def test_shards_together_read_what_one_run_reads(site: Sharded, count: int) -> None:
    whole = loaded(site.sync(segments=SEGMENTS))
    site.of.api.log.clear()
    parts = run_in_shards(site, count, segments=SEGMENTS)
    assert loaded(*parts).content == whole.content
    asked = Counter(site.of.requested("/api/domains/"))
    assert set(asked.values()) == {1}, "two shards read the same partition"
    for stream in ("account", "domains"):
        assert [bool(part.rows(stream)) for part in parts] == [True] + [False] * (count - 1)
    assert [read_by(part) for part in parts] == [
        {
            (domain, segment["name"])
            for domain in range(1, DOMAINS + 1)
            for segment in SEGMENTS
            if shard_of([domain, segment["name"]], count) == index
        }
        for index in range(count)
    ]
    snapshots = [row["domain_id"] for part in parts for row in part.rows("current_visitors")]
    assert sorted(snapshots) == list(range(1, DOMAINS + 1))


def test_shards_without_partitions_succeed_and_write_all_schemas(serve: Serve) -> None:
    site = Sharded(serve(domains=1))
    whole = site.sync()
    parts = run_in_shards(site, 7)
    assert loaded(*parts).content == loaded(whole).content
    assert sum(bool(read_by(part)) for part in parts) == 1
    for part in parts:
        assert part.streams == whole.streams


@pytest.mark.parametrize(("before", "after"), [(2, 3), (7, 1)])
def test_another_number_of_shards_resumes_from_the_joined_states(
    site: Sharded, before: int, after: int
) -> None:
    """No row is lost, and only the lookback is read again."""
    first = run_in_shards(site, before, segments=SEGMENTS)
    site.of.api.log.clear()
    state = merged(part.state for part in first)
    second = run_in_shards(site, after, [state] * after, **LATER)
    asked = Counter(site.of.requested("/api/domains/"))
    assert set(asked.values()) == {1}
    assert min(first_day for first_day, _ in site.of.days_requested("pages")) == "2024-02-03"
    assert loaded(*first, *second).content == loaded(site.sync(**LATER)).content
    for stream in WINDOWED:
        ends = {
            bookmark(merged(part.state for part in second), stream, domain, segment["name"])
            for domain in range(1, DOMAINS + 1)
            for segment in SEGMENTS
        }
        assert ends == {"2024-02-07"}, stream


def test_new_shards_without_a_state_start_again_and_lose_nothing(site: Sharded) -> None:
    """This is so if the state ids contain the number of shards."""
    first = run_in_shards(site, 2, segments=SEGMENTS)
    second = run_in_shards(site, 3, **LATER)
    assert loaded(*first, *second).content == loaded(site.sync(**LATER)).content
    assert loaded(*second).content == loaded(*first, *second).content


def test_new_shards_with_the_old_states_lose_nothing(site: Sharded) -> None:
    """Partitions that moved to another shard are read from the start date."""
    first = run_in_shards(site, 2, segments=SEGMENTS)
    old = [*(part.state for part in first), {}]
    second = run_in_shards(site, 3, old, **LATER)
    assert loaded(*first, *second).content == loaded(site.sync(**LATER)).content
