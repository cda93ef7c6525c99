"""Go on with another number of shards: their states are made of those of the old ones."""

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
KEY = "singer_state"  # under which Meltano keeps a tap's state


def joined(states: Iterable[State]) -> State:
    """What all of these states know; of a partition the bookmark that is furthest on.

    A bookmark is never ahead of the data, so the furthest one is right, also where a shard still
    carries the bookmarks of partitions that are another's by now.
    """
    wholes: dict[str, State] = {}
    parts: dict[str, dict[str, State]] = {}
    for state in states:
        for stream, entry in state.get("bookmarks", {}).items():
            own = {name: value for name, value in entry.items() if name != "partitions"}
            wholes[stream] = _further(wholes.get(stream, {}), own)
            found = parts.setdefault(stream, {})
            for part in entry.get("partitions", ()):
                key = json.dumps(part["context"], sort_keys=True)
                found[key] = _further(found.get(key, {}), part)
    return {
        "bookmarks": {
            stream: {**own, **({"partitions": list(found.values())} if found else {})}
            for (stream, own), found in zip(wholes.items(), parts.values(), strict=True)
        }
    }


def _further(one: State, other: State) -> State:
    """Of two entries of a partition the one that is further; when none is, what has jobs in it."""
    return max(one, other, key=lambda entry: (entry.get("replication_key_value") or "", len(entry)))


def resharded(known: State, old: Job, new: Job) -> State:
    """The new shards' states in the form of ``meltano state import``, from an export.

    Every new shard gets all bookmarks, and uses those of its own partitions.

    Raises:
        KeyError: an old shard has no state.
    """
    found = [known[state_id] for state_id in old.state_ids]
    parts = (part or {} for one in found for part in (one["completed"], one["partial"]))
    state = {KEY: joined(part.get(KEY, {}) for part in parts)}
    return {state_id: {"completed": state, "partial": {}} for state_id in new.state_ids}


def main() -> int:
    """Read the states that Meltano has, and give it those of the new shards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tap")
    parser.add_argument("old", type=int, help="how many shards there were; 1: a run without any")
    parser.add_argument("new", type=int, help="how many there will be; 1: a run without any")
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
        sys.stderr.write(f"there is no state {error}: is {old.shards} the number of shards?\n")
        return 1
    _meltano("import", json.dumps(states))
    print(f"{', '.join(old.state_ids)} -> {', '.join(states)}")
    return 0


def _meltano(action: str, text: str | None = None) -> str:
    """``meltano state`` import or export; what it prints."""
    command = ["meltano", "state", action]
    return subprocess.run(
        command, cwd=ROOT, input=text, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


if __name__ == "__main__":
    sys.exit(main())
