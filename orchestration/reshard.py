"""Change the number of shards: create the states of the new shards from those of the old ones."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from orchestration.shards import ROOT, Job

if TYPE_CHECKING:
    from collections.abc import Iterable

State = dict[str, Any]
KEY = "singer_state"  # the key under which Meltano stores a tap's state


def merged(states: Iterable[State]) -> State:
    """Merge states; for each partition, keep the furthest bookmark.

    A bookmark is never ahead of the data, so the furthest one is right. This also holds if a shard
    still has bookmarks of partitions that now belong to another shard. If the shards divide a
    partition, its entries name their shard, and the nearest bookmark of all shards is right.
    """
    wholes: dict[str, State] = {}
    parts: dict[str, dict[str, dict[str, State]]] = {}
    for state in states:
        for stream, entry in state.get("bookmarks", {}).items():
            own = {name: value for name, value in entry.items() if name != "partitions"}
            wholes[stream] = _furthest(wholes.get(stream, {}), own)
            found = parts.setdefault(stream, {})
            for part in entry.get("partitions", ()):
                key = json.dumps(part["context"], sort_keys=True)
                by_shard = found.setdefault(key, {})
                shard = part.get("shard", "")
                by_shard[shard] = _furthest(by_shard.get(shard, {}), part)
    bookmarks: dict[str, State] = {}
    for stream, own in wholes.items():
        entries = [entry for one in parts[stream].values() if (entry := _of_all_shards(one))]
        bookmarks[stream] = {**own, **({"partitions": entries} if entries else {})}
    return {"bookmarks": bookmarks}


def _of_all_shards(by_shard: dict[str, State]) -> State | None:
    """Return the entry of a partition for all shards; None if one of those that divide it has none.

    An entry without a shard is that of a run which read the whole partition.
    """
    if whole := by_shard.get(""):
        return whole
    count = int(next(iter(by_shard)).partition("/")[2])
    if len(by_shard) < count:
        return None
    nearest = min(by_shard.values(), key=lambda entry: entry["replication_key_value"])
    return {name: value for name, value in nearest.items() if name != "shard"}


def _furthest(one: State, other: State) -> State:
    """Return the entry with the furthest bookmark; if both are equal, the one that has jobs."""

    def place(entry: State) -> tuple[Any, ...]:
        value = entry.get("replication_key_value")
        return (0, len(entry)) if value is None else (1, value, len(entry))

    return max(one, other, key=place)


def resharded(known: State, old: Job, new: Job) -> State:
    """Return the new shards' states for ``meltano state import``, from an export.

    Every new shard gets all bookmarks, and uses those of its own partitions.

    Raises:
        KeyError: an old shard has no state.
    """
    found = [known[state_id] for state_id in old.state_ids]
    parts = (part or {} for one in found for part in (one["completed"], one["partial"]))
    state = {KEY: merged(part.get(KEY, {}) for part in parts)}
    return {state_id: {"completed": state, "partial": {}} for state_id in new.state_ids}


def main() -> int:
    """Export Meltano's states, and import those of the new shards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tap")
    parser.add_argument("old", type=int, help="old number of shards; 1: without shards")
    parser.add_argument("new", type=int, help="new number of shards; 1: without shards")
    parser.add_argument("--target", default="target-postgres", help="(%(default)s)")
    parser.add_argument("--environment", default="prod", help="Meltano's (%(default)s)")
    options = parser.parse_args()
    old, new = (
        Job(options.tap, options.target, shards=count, environment=options.environment)
        for count in (options.old, options.new)
    )
    try:
        states = resharded(json.loads(_meltano("export")), old, new)
    except KeyError as error:
        sys.stderr.write(f"no state {error} found: check the old number of shards, {old.shards}\n")
        return 1
    _meltano("import", json.dumps(states))
    print(f"{', '.join(old.state_ids)} -> {', '.join(states)}")
    return 0


def _meltano(action: str, text: str | None = None) -> str:
    """Run ``meltano state`` import or export, and return its output."""
    command = ["meltano", "state", action]
    return subprocess.run(
        command, cwd=ROOT, input=text, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


if __name__ == "__main__":
    sys.exit(main())
