"""A small tap with canned rows, and its runs, on the kit's path or on the SDK's own."""

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
    """A stream of the canned tap: its schema, and the rows of each of its tasks."""

    properties: Mapping[str, Any]
    read: Rows | Callable[[Any], Rows]  # takes a Task or a WindowTask
    name: str = "figures"
    keys: tuple[str, ...] = ("id",)
    replication_key: str | None = None  # if set, the stream is read in windows
    partitions: Sequence[Partition] | None = None
    required: tuple[str, ...] = ()

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of a row."""
        required = {"required": list(self.required)} if self.required else {}
        return {"type": "object", "properties": dict(self.properties), **required}

    def stream(self, tap: KitTap) -> Stream:
        """Return the stream, with its own class as in real taps."""
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
    """The base class of both kinds of canned streams."""

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
    """A table that is read as a whole."""


class WindowTable(WindowedStream, CannedStream[WindowTask]):
    """A table that is read in windows."""


class CannedTap(KitTap):
    """A tap whose streams are tables."""

    name = "tap-canned"
    config_jsonschema = th.PropertiesList(*common_settings(lookback_days=0)).to_dict()
    tables: ClassVar[Sequence[Table]] = ()

    @override
    def discover_streams(self) -> list[Stream]:
        return [table.stream(self) for table in self.tables]

    @override
    def check_access(self) -> str:
        return "no access to check"


def tap_of(*tables: Table) -> type[CannedTap]:
    """Return a new tap class, because the SDK keeps data in the class."""
    made: type[CannedTap] = type("Canned", (CannedTap,), {"tables": tables})
    return made


@dataclass
class Run:
    """The output of a run, and the error that ended it."""

    messages: list[Message] = field(default_factory=list)
    error: str = ""
    lines: list[str] = field(default_factory=list)

    def of(self, kind: str) -> list[Message]:
        """Return the messages of one type."""
        return [message for message in self.messages if message["type"] == kind]

    @property
    def records(self) -> list[Any]:
        """The records, in order."""
        return [message["record"] for message in self.of("RECORD")]


@contextmanager
def captured() -> Iterator[Run]:
    """Capture standard output as bytes while inside."""
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
    """Run the tap once."""
    with captured() as run:
        try:
            tap.execute()
        except KitError as error:
            run.error = str(error)
    return run


def force_single_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every stream write record by record from now on."""
    monkeypatch.setattr(tap_kit.rows.chunks, "needs_single_records", lambda _stream: "the test")


def decode_from_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every stream decode its rows from the bytes of a JSON response from now on."""
    read = CannedStream.read

    def read_bytes(self: CannedStream[Any], task: Task) -> Rows:
        decode = RowDecoder(self.row_check)
        rows: Rows = decode(json.dumps(list(read(self, task))).encode(), str(task))
        return rows

    monkeypatch.setattr(CannedStream, "read", read_bytes)


def use_sdk_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every stream yield dicts from now on, as in a tap without the kit."""

    def get_records(self: CannedStream[Any], context: Context | None) -> Iterator[dict[str, Any]]:
        self.TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.RECURSIVE
        for task in self.tasks(dict(context or {})):
            yield from (dict(row) for row in self.read(task))

    monkeypatch.setattr(CannedStream, "get_records", get_records)


def deselect(catalog: dict[str, Any], *paths: tuple[str, ...]) -> dict[str, Any]:
    """Deselect properties in the catalog and return it; the empty path is the stream itself."""
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            breadcrumb = tuple(p for p in item["breadcrumb"] if p != "properties")
            if breadcrumb in paths:
                item["metadata"]["selected"] = False
    return catalog
