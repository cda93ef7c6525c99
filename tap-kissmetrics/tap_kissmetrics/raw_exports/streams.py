"""The streams of the raw data export."""

from __future__ import annotations

import collections
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import SchemaDirectory
from tap_kit import BookmarkedStream, Chunk, Result, Task
from typing_extensions import override

from tap_kissmetrics.raw_exports.plan import ranges
from tap_kissmetrics.raw_exports.reading import FileReader
from tap_kissmetrics.raw_exports.rows import ALIASES, EVENTS, FILES, PROPERTIES, REJECTS, RowMaker
from tap_kissmetrics.raw_exports.states import bookmark_of, read_files, remember
from tap_kissmetrics.schemas import raw

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.metrics import Counter
    from tap_kit import Partition, Row

    from tap_kissmetrics.raw_exports.content import Content
    from tap_kissmetrics.raw_exports.group import RawExports
    from tap_kissmetrics.raw_exports.index import Indexed
    from tap_kissmetrics.raw_exports.written import ReadFiles

SCHEMAS = SchemaDirectory(raw)
_TEXT = {"type": ["string", "null"]}


@dataclass(frozen=True)
class FileTask(Task):
    """A file of an export."""

    entry: Indexed

    @property
    @override
    def window_name(self) -> str:
        return str(self.entry.revision)

    @override
    def __str__(self) -> str:
        return f"raw data of {self.partition['product']}, {self.entry.file}"


@dataclass(frozen=True)
class FileResult(Result):
    """An opened file, without rows: they are made when they are written."""

    file: Content


@dataclass
class ProductPlan:
    """The files of a product to read, and the bookmark of each stream before."""

    files: Sequence[Indexed]
    after: Mapping[str, int]
    read: ReadFiles
    counts: collections.Counter[str]  # of what was written in this run
    unusable: list[int]  # revisions of which no line can be used


class Rows(list["Row"]):
    """Rows of the stream with this name, which may be another one than the one that read them."""

    stream: str

    @classmethod
    def of(cls, stream: str, rows: Sequence[Row]) -> Rows:
        """Return the rows of a stream."""
        made = cls(rows)
        made.stream = stream
        return made


class RawStream(BookmarkedStream[FileTask, FileResult]):
    """One kind of lines of the raw data export, or its files.

    A task is a file. Worker threads open files ahead; the main thread makes the rows of the next
    file in the order of revisions. The bookmark is the last revision that was written completely.
    """

    primary_keys: Sequence[str] = ("product", "revision", "line")
    replication_key = "revision"
    has_columns: ClassVar[bool] = False  # whether it has the fields of ``raw_export_columns``

    def __init__(self, tap: Tap, exports: RawExports[RawStream]) -> None:
        own = SCHEMAS.get_schema(self.name)
        self.columns = exports.columns([*own["properties"]]) if self.has_columns else {}
        described = {
            field: {**_TEXT, "description": f"The property `{label}` of the line, as a text."}
            for field, label in self.columns.items()
        }
        self._own_schema = {**own, "properties": {**own["properties"], **described}}
        self.exports = exports
        self._plans: dict[str, ProductPlan] = {}
        self._counters: dict[str, Counter] = {}  # of the other streams that this one writes
        super().__init__(tap, exports.run)
        exports.streams.append(self)

    @property
    @override
    def schema(self) -> dict[str, Any]:
        return self._own_schema

    # Plan

    @property
    def members(self) -> Sequence[RawStream]:
        """The streams for which this one reads the files; none if another one does."""
        return self.exports.read_by(self)

    @property
    @override
    def partition_list(self) -> list[Partition]:
        """All products, if this stream reads the files: shards divide the revisions."""
        return [{"product": name} for name in self.exports.exports] if self.members else []

    def product_plan(self, partition: Partition) -> ProductPlan:
        """Return what to read of a product; it is made once."""
        product = partition["product"]
        if product not in self._plans:
            self._plans[product] = self._make_plan(partition)
        return self._plans[product]

    def _make_plan(self, partition: Partition) -> ProductPlan:
        run, export = self.run, self.exports.exports[partition["product"]]
        after = {one.name: bookmark_of(one, partition, run) for one in self.members}
        shard = (run.shard.index, run.shard.count)
        found = export.plan(after.values(), self.exports.days, shard)
        read = read_files(self.exports.streams, partition)
        if again := read.written_again(export.snapshot.files):
            self.logger.warning(
                "%s: revisions %s were written again after they were read (another size or ETag); "
                "to read them again, clear the state",
                export.product,
                ranges(again),
            )
        return ProductPlan(found.files, after, read, collections.Counter(), [])

    @override
    def windows(self, partition: Partition) -> Sequence[Any]:
        return self.product_plan(partition).files

    @override
    def tasks(self, partition: Partition) -> Iterator[FileTask]:
        failures, files = self.failures.of(partition), self.product_plan(partition).files
        for entry in files:
            failures.last_window = str(files[-1].revision)
            task = FileTask(self, partition, entry)
            if not failures.skips(task):
                yield task

    # Fetch (in a worker thread): the first part of the file

    @override
    def fetch(self, task: FileTask) -> FileResult:
        return FileResult((), self.exports.exports[task.partition["product"]].open(task.entry))

    # Emit (in the main thread)

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        others = [one for one in self.members if one is not self]
        with ExitStack() as stack:
            self._counters = {
                one.name: stack.enter_context(one.get_record_counter()) for one in others
            }
            yield from super().get_records(context)
        if context and self.members:
            self._log_counts({"product": context["product"]})

    @override
    def batches(self, task: FileTask, result: FileResult) -> Iterator[Sequence[Row]]:
        plan, entry = self.product_plan(task.partition), task.entry
        wanted = [one for one in self.members if plan.after[one.name] < entry.revision]
        makers = {one.name: one.row_maker for one in wanted}
        reader = FileReader(task.partition["product"], entry, makers)
        for found in reader.rows(result.file, partial(self.run.heartbeat, task)):
            for one in wanted:
                if rows := found.get(one.name):
                    yield Rows.of(one.name, rows)
        counts = collections.Counter({"files": 1, "lines": reader.line_count, **reader.counts})
        plan.counts += counts
        if counts["rejects"] == counts["lines"] > 0:
            plan.unusable.append(entry.revision)
        self.logger.debug("%s: %s", task, _listed(counts))

    @cached_property
    def row_maker(self) -> RowMaker:
        """What makes the rows of this stream, with its selected fields."""
        fields = [field for field in self.schema["properties"] if self.mask["properties", field]]
        return RowMaker(fields, self.columns)

    @override
    def _as_chunk(self, rows: Sequence[Row]) -> Iterator[Record]:
        name = rows.stream if isinstance(rows, Rows) else self.name
        if name == self.name:
            yield from super()._as_chunk(rows)
            return
        self._counters[name].increment(len(rows))
        if self._counter is not None:
            self._counter.rows = 0  # the SDK counts the chunk too
        yield Chunk(rows, name)
        self.run.progress.add_rows(len(rows), name)

    @override
    def on_window_written(self, task: FileTask) -> None:
        if self.failures.of(task.partition):
            return  # the bookmark must not pass a file that was not read
        plan, revision = self.product_plan(task.partition), task.entry.revision
        export = self.exports.exports[task.partition["product"]]
        plan.read.add(revision, export.snapshot.files[revision])
        for one in self.members:
            one.advance(task, revision, plan.read if one is self else None)

    def advance(self, task: FileTask, revision: int, read: ReadFiles | None) -> None:
        """Move the bookmark of this stream to a revision."""
        self.state_manager.advance(task.context, "revision", revision)
        remember(self.get_context_state(task.context), self.run, read)

    def _log_counts(self, partition: Partition) -> None:
        plan, product = self.product_plan(partition), partition["product"]
        self.logger.info("%s: %s", product, _listed(plan.counts))
        if plan.unusable:
            text = "%s: no line of revisions %s can be used; raw_rejects has them with the reason"
            self.logger.warning(text, product, ranges(plan.unusable))


def _listed(counts: Mapping[str, int]) -> str:
    names = ("files", "lines", "events", "properties", "aliases", "rejects", "mended", "repeated")
    return ", ".join(f"{counts[name]:,} {name}" for name in names)


class RawEvents(RawStream):
    """Lines with the name of an event."""

    name = EVENTS
    has_columns = True


class RawProperties(RawStream):
    """Lines that set properties without an event."""

    name = PROPERTIES
    has_columns = True


class RawAliases(RawStream):
    """Lines that give a person a second identity."""

    name = ALIASES


class RawRejects(RawStream):
    """Lines that cannot be used."""

    name = REJECTS


class RawFiles(RawStream):
    """The files, with what was read from them."""

    name = FILES
    primary_keys = ("product", "revision")


STREAMS = (RawEvents, RawProperties, RawAliases, RawRejects, RawFiles)
