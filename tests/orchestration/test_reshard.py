"""States for another number of shards: no bookmark is lost, none moves back."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.reshard import merged, resharded
from orchestration.shards import Job
from tests.end_to_end.project import MELTANO, Project

if TYPE_CHECKING:
    from pathlib import Path

TWO, THREE = Job("tap-x", shards=2), Job("tap-x", shards=3)


def part(domain: int, day: str, **more: Any) -> dict[str, Any]:
    return {
        "context": {"domain_id": domain},
        "replication_key": "date",
        "replication_key_value": day,
        **more,
    }


def state(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"bookmarks": {"pages": {"partitions": list(parts)}}}


def stored(*parts: dict[str, Any]) -> dict[str, Any]:
    """Return a state as Meltano stores it."""
    return {"singer_state": state(*parts)}


def test_merged_state_has_the_partitions_of_each_shard() -> None:
    one, two = part(1, "2024-02-03"), part(2, "2024-02-05")
    assert merged([state(one), state(two)]) == state(one, two)


def test_merged_partition_has_its_latest_bookmark() -> None:
    """A shard's state keeps the old bookmarks of the other shards' partitions."""
    old, new = part(1, "2024-02-03"), part(1, "2024-02-05")
    assert merged([state(old), state(new)]) == merged([state(new), state(old)]) == state(new)


def revisions(shard: str | None, last: int) -> dict[str, Any]:
    """Return the state of a shard that divides a partition with the others."""
    part = {"context": {"product": "shop"}, "replication_key": "revision"}
    own = {"shard": shard} if shard else {}
    return {"bookmarks": {"raw": {"partitions": [{**part, "replication_key_value": last, **own}]}}}


def test_partition_that_shards_divide_has_its_nearest_bookmark() -> None:
    states = [revisions("0/2", 9), revisions("1/2", 4), revisions("1/2", 5)]
    assert merged(states) == revisions(None, 5)
    assert merged(states[::-1]) == revisions(None, 5)


def test_partition_that_a_shard_has_not_read_has_no_bookmark() -> None:
    assert merged([revisions("0/2", 9), {}]) == {"bookmarks": {"raw": {}}}


def test_partition_that_was_read_as_a_whole_keeps_its_bookmark() -> None:
    assert merged([revisions(None, 7), revisions("0/2", 9)]) == revisions(None, 7)


def test_stream_without_partitions_keeps_its_latest_bookmark() -> None:
    def accounts(moment: str | None) -> dict[str, Any]:
        own = {"replication_key": "updated_at", "replication_key_value": moment} if moment else {}
        return {"bookmarks": {"accounts": own}}

    for moments in (["2024-02-03", "2024-02-05", None], [None, "2024-02-05", "2024-02-03"]):
        assert merged(map(accounts, moments)) == accounts("2024-02-05")


def test_running_jobs_are_kept() -> None:
    """Otherwise the vendor would run them twice."""
    jobs = {"2024-02-06": {"id": "7"}}
    without, having = part(1, "2024-02-05"), part(1, "2024-02-05", jobs=jobs)
    assert merged([state(without), state(having)]) == state(having)
    fresh = {"context": {"domain_id": 2}, "jobs": jobs}
    assert merged([state(fresh), state(part(1, "2024-02-05"))]) == state(
        fresh, part(1, "2024-02-05")
    )


@given(
    days=st.lists(st.dictionaries(st.integers(1, 5), st.dates().map(str), max_size=5), max_size=4)
)
def test_merging_loses_no_bookmark(days: list[dict[int, str]]) -> None:
    found = merged(state(*(part(d, day) for d, day in one.items())) for one in days)
    parts = found["bookmarks"].get("pages", {}).get("partitions", [])
    known = {one["context"]["domain_id"]: one["replication_key_value"] for one in parts}
    assert known == {
        domain: max(one[domain] for one in days if domain in one) for domain in set().union(*days)
    }
    assert len(parts) == len(known)
    assert merged([found, found]) == found


def test_every_new_shard_gets_all_bookmarks() -> None:
    known = {
        TWO.state_id(0): {"completed": stored(part(1, "2024-02-03")), "partial": None},
        TWO.state_id(1): {"completed": {}, "partial": stored(part(2, "2024-02-05"))},
        "prod:another": {"completed": stored(part(3, "2024-02-09")), "partial": {}},
    }
    wanted = stored(part(1, "2024-02-03"), part(2, "2024-02-05"))
    new = resharded(known, TWO, THREE)
    assert new == {one: {"completed": wanted, "partial": {}} for one in THREE.state_ids}
    with pytest.raises(KeyError, match="shard-0-of-3"):
        resharded(known, THREE, TWO)


class Meltano:
    """The states of a project."""

    def __init__(self, folder: Path) -> None:
        self.project = Project.copied_to(folder, {})

    def state(self, *arguments: str) -> str:
        """Run ``meltano state`` and return its output."""
        done = self.project.run([str(MELTANO), "state", *arguments], {})
        assert done.code == 0, done.stderr
        return done.stdout

    def reshard(self, old: int, new: int) -> subprocess.CompletedProcess[str]:
        """Run the command that converts the states to another number of shards."""
        command = ["orchestration.reshard", "tap-x", str(old), str(new)]
        return subprocess.run(
            [sys.executable, "-m", *command],
            cwd=self.project.folder,
            env={"PATH": str(MELTANO.parent)},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.mark.xdist_group("engines")
def test_meltano_merge_loses_partitions_and_reshard_keeps_them(tmp_path: Path) -> None:
    """Meltano merges dictionaries, but replaces the first list of partitions by the second."""
    meltano = Meltano(tmp_path)
    one, two = part(1, "2024-02-03"), part(2, "2024-02-05")
    for number, own in enumerate((one, two)):
        meltano.state("set", "--force", TWO.state_id(number), json.dumps(stored(own)))
    meltano.state("merge", "--from-state-id", TWO.state_id(0), "merged")
    meltano.state("merge", "--from-state-id", TWO.state_id(1), "merged")
    assert json.loads(meltano.state("get", "merged")) == stored(two), (
        "Meltano merges lists now: use it in the docs"
    )

    done = meltano.reshard(2, 3)
    assert done.returncode == 0, done.stderr
    assert json.loads(meltano.state("get", THREE.state_ids[-1])) == stored(one, two)

    wrong = meltano.reshard(5, 2)
    assert wrong.returncode == 1
    assert "shard-0-of-5" in wrong.stderr
    assert "Traceback" not in wrong.stderr
