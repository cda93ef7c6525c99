"""A small tap whose rows are canned, and a run of it: the kit's way, or the SDK's own."""

from __future__ import annotations

import io
import json
import sys
from abc import ABC
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Generic

import tap_kit.rows.chunks
from singer_sdk import typing as th
from singer_sdk.helpers.conform import TypeConformanceLevel
from tap_kit.errors import KitError
from tap_kit.flow.tasks import Result, TaskT, WindowTask
from tap_kit.rows.check import RowDecoder
from tap_kit.run.settings import common_settings
from tap_kit.streams import KitStream, WindowedStream
from tap_kit.tap import KitTap
from typing_extensions import override

if TYPE_CHECKING:
    import pytest
    from singer_sdk import Stream
    from singer_sdk.helpers.types import Context
    from tap_kit.flow.tasks import Partition, Task

Rows = Sequence[Any]
Message = dict[str, Any]
TEXT = {"type": ["string", "null"]}
WHOLE = {"type": ["integer", "null"]}
NUMBER = {"type": ["number", "null"]}
ID = {"type": "integer"}


@dataclass(frozen=True)
class Table:
    """A stream of the canned tap: its schema, and what each of its tasks brings."""

    properties: Mapping[str, Any]
    read: Rows | Callable[[Any], Rows]  # of a Task, or of a WindowTask
    name: str = "figures"
    keys: tuple[str, ...] = ("id",)
    replication_key: str | None = None  # then it is read in windows
    partitions: Sequence[Partition] | None = None
    required: tuple[str, ...] = ()

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of a row."""
        required = {"required": list(self.required)} if self.required else {}
        return {"type": "object", "properties": dict(self.properties), **required}

    def stream(self, tap: KitTap) -> Stream:
        """The stream, of a class of its own as taps have them."""
        base = WholeTable if self.replication_key is None else WindowTable
        members = {
            "name": self.name,
            "schema": self.schema,
            "primary_keys": self.keys,
            "replication_key": self.replication_key,
            "table": self,
        }
        made: type[CannedStream[Any]] = type(self.name.title(), (base,), members)
        return made(tap, tap.run)


class CannedStream(KitStream[TaskT], ABC, Generic[TaskT]):
    """What both kinds of canned streams have in common."""

    table: Table

    @override
    def all_partitions(self) -> Sequence[Partition] | None:
        return self.table.partitions

    @override
    def fetch(self, task: TaskT) -> Result:
        return Result(self.checked(self.read(task)))

    def read(self, task: Task) -> Rows:
        """Return the canned rows."""
        read = self.table.read
        return read(task) if callable(read) else read


class WholeTable(CannedStream):
    """A table that is read whole."""


class WindowTable(WindowedStream, CannedStream[WindowTask]):
    """A table that is read in windows."""


class CannedTap(KitTap):
    """A tap of tables."""

    name = "tap-canned"
    config_jsonschema = th.PropertiesList(*common_settings(lookback_days=0)).to_dict()
    tables: ClassVar[Sequence[Table]] = ()

    @override
    def discover_streams(self) -> list[Stream]:
        return [table.stream(self) for table in self.tables]

    @override
    def check_access(self) -> str:
        return "nobody to ask"


def tap_of(*tables: Table) -> type[CannedTap]:
    """A tap class of its own, since the SDK keeps things in the class."""
    made: type[CannedTap] = type("Canned", (CannedTap,), {"tables": tables})
    return made


@dataclass
class Run:
    """What a run wrote, and how it ended."""

    messages: list[Message] = field(default_factory=list)
    error: str = ""
    lines: list[str] = field(default_factory=list)

    def of(self, kind: str) -> list[Message]:
        """The messages of one type."""
        return [message for message in self.messages if message["type"] == kind]

    @property
    def records(self) -> list[Any]:
        """The records, in order."""
        return [message["record"] for message in self.of("RECORD")]


@contextmanager
def captured() -> Iterator[Run]:
    """Standard output as a file over bytes, read when the block ends."""
    run, out, before = Run(), io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), sys.stdout
    sys.stdout = out
    try:
        yield run
    finally:
        sys.stdout = before
        out.flush()
        assert isinstance(out.buffer, io.BytesIO)
        text = out.buffer.getvalue().decode()
        assert text == "" or text.endswith("\n")
        run.lines = text.split("\n")[:-1]
        run.messages = [_without_clock(json.loads(line)) for line in run.lines]


def _without_clock(message: Message) -> Message:
    if message["type"] == "RECORD":
        assert message.pop("time_extracted").endswith("+00:00")
        message.pop("version", None)
    if message["type"] == "ACTIVATE_VERSION":
        message["version"] = None
    return message


def run_of(tap: KitTap) -> Run:
    """One whole run."""
    with captured() as run:
        try:
            tap.execute()
        except KitError as error:
            run.error = str(error)
    return run


def single(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on every stream goes record by record."""
    monkeypatch.setattr(tap_kit.rows.chunks, "needs_single_records", lambda _stream: "the test")


def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on every stream makes its rows of the bytes of a JSON answer."""
    read = CannedStream.read

    def read_bytes(self: CannedStream[Any], task: Task) -> Rows:
        decode = RowDecoder(self.row_check)
        rows: Rows = decode(json.dumps(list(read(self, task))).encode(), str(task))
        return rows

    monkeypatch.setattr(CannedStream, "read", read_bytes)


def stock(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on every stream yields what was read, as an ordinary tap's would."""

    def get_records(self: CannedStream[Any], context: Context | None) -> Iterator[dict[str, Any]]:
        self.TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.RECURSIVE
        for task in self.tasks(dict(context or {})):
            yield from (dict(row) for row in self.read(task))

    monkeypatch.setattr(CannedStream, "get_records", get_records)


def without(catalog: dict[str, Any], *paths: tuple[str, ...]) -> dict[str, Any]:
    """The catalog with these properties deselected; the empty path is the stream itself."""
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            breadcrumb = tuple(p for p in item["breadcrumb"] if p != "properties")
            if breadcrumb in paths:
                item["metadata"]["selected"] = False
    return catalog
