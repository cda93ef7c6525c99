"""The output of a tap, and a loader that reads it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Message = dict[str, Any]
Row = dict[str, Any]
State = dict[str, Any]


@dataclass(frozen=True)
class Output:
    """The standard output of one run."""

    text: str

    @cached_property
    def messages(self) -> list[Message]:
        """All messages; an incomplete last line, as after a kill, is left out."""
        lines = self.text.split("\n")
        return [json.loads(line) for line in lines[:-1]]

    @property
    def unfinished(self) -> str:
        """The text after the last line feed: empty unless the tap was killed."""
        return self.text.rpartition("\n")[2]

    def rows(self, stream: str) -> list[Row]:
        """Return the records of a stream in the order of arrival."""
        return [
            message["record"]
            for message in self.messages
            if message["type"] == "RECORD" and message["stream"] == stream
        ]

    @property
    def streams(self) -> list[str]:
        """The streams with a SCHEMA message, each once, in order."""
        return list(dict.fromkeys(m["stream"] for m in self.messages if m["type"] == "SCHEMA"))

    @property
    def record_counts(self) -> dict[str, int]:
        """The number of records of each stream."""
        return {stream: len(self.rows(stream)) for stream in self.streams}

    @property
    def states(self) -> list[State]:
        """The states in the order of arrival."""
        return [message["value"] for message in self.messages if message["type"] == "STATE"]

    @property
    def state(self) -> State:
        """The state for the next run; empty if none was written."""
        return self.states[-1] if self.states else {}

    @property
    def without_clock(self) -> list[Message]:
        """The messages without values of the clock; they must not differ between two runs."""
        return [_without_clock(message) for message in self.messages]


def _without_clock(message: Message) -> Message:
    if message["type"] != "RECORD":
        return message
    record = {field: value for field, value in message["record"].items() if field != "observed_at"}
    return {"type": "RECORD", "stream": message["stream"], "record": record}


def without_times(state: Any) -> Any:
    """Return a state without how long jobs took, which differs between two runs."""
    if isinstance(state, dict):
        return {k: without_times(value) for k, value in state.items() if k != "job_ms"}
    return [without_times(value) for value in state] if isinstance(state, list) else state


def bookmark(state: State, stream: str, domain_id: int, segment: str = "all") -> str | None:
    """Return the bookmark of a domain's segment in a stream; None if there is none."""
    parts = state.get("bookmarks", {}).get(stream, {}).get("partitions", [])
    for part in parts:
        if part["context"] == {"domain_id": domain_id, "segment": segment}:
            value: str | None = part.get("replication_key_value")
            return value
    return None


class Loader:
    """A minimal target: it keeps the newest row of each key, and the last state."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[tuple[Any, ...], Row]] = {}
        self._keys: dict[str, list[str]] = {}
        self.state: State = {}

    def load(self, output: Output) -> None:
        """Load the output of a run, complete or cut off."""
        for message in output.messages:
            match message["type"]:
                case "SCHEMA":
                    self._keys[message["stream"]] = message["key_properties"]
                    self._tables.setdefault(message["stream"], {})
                case "RECORD":
                    stream, row = message["stream"], message["record"]
                    key = tuple(row[field] for field in self._keys[stream])
                    self._tables[stream][key] = row
                case "STATE":
                    self.state = message["value"]

    @property
    def rows(self) -> dict[str, list[Row]]:
        """The rows of each table."""
        return {name: list(rows.values()) for name, rows in self._tables.items()}

    @property
    def content(self) -> dict[str, dict[tuple[Any, ...], Row]]:
        """All tables except the snapshot, to which each run adds rows."""
        return {name: rows for name, rows in self._tables.items() if name != "current_visitors"}

    def count(self, stream: str) -> int:
        """Return the number of rows of a table."""
        return len(self._tables[stream])
