"""Write rows fast: a chunk of rows that the SDK handles as one record.

The SDK's own path costs about 50 microseconds per record: type conformance, selection, stream maps,
a message object, a flush. Rows that compiled code has checked against the schema need none of that,
unless something processes single records. So a stream yields a :class:`Chunk`: a dict that contains
the context only, with the rows beside it. The SDK does its bookkeeping once per chunk, and
:class:`ChunkWriter` writes the RECORD lines of all its rows together.

Only public hooks of the SDK are used (``get_records``, ``generate_child_contexts``,
``get_record_counter``, ``TYPE_CONFORMANCE_LEVEL``, ``message_writer_class``).
"""

from __future__ import annotations

import sys
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET
from singer_sdk import Stream, metrics
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib import RecordMessage
from singer_sdk.singerlib.encoding import SimpleSingerWriter
from singer_sdk.singerlib.json import serialize_json
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.singerlib import Message

    from tap_kit.rows.check import Row

CHUNK_ROWS = 5_000
"""The rows of a chunk: enough for cheap writes, few enough for constant memory."""
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Chunk(dict[str, Any]):
    """Rows that the SDK handles as one record. The dict has only what the SDK itself adds.

    ``stream`` names another stream that the rows belong to, if one source has the rows of several
    streams. Its SCHEMA message must be written before.
    """

    __slots__ = ("rows", "stream")

    def __init__(self, rows: Sequence[Row], stream: str | None = None) -> None:
        super().__init__()
        self.rows = rows
        self.stream = stream


class ChunkWriter(SimpleSingerWriter):
    """Writes Singer messages to stdout, with one RECORD line for each row of a chunk."""

    @override
    def write_message(self, message: Message) -> None:
        if isinstance(message, RecordMessage) and isinstance(message.record, Chunk):
            if message.record.stream is not None:
                message.stream = message.record.stream
            self.write_rows(message, message.record.rows)
            message.record.rows = ()  # the SDK keeps the chunk until the next one
        else:
            super().write_message(message)

    @override
    def serialize_message(self, message: Message) -> str:
        """Return a message as JSON, without the copy that the SDK makes of a schema or a state."""
        if isinstance(message, RecordMessage):
            return super().serialize_message(message)
        values = ((field.name, getattr(message, field.name)) for field in fields(message))
        return serialize_json({name: value for name, value in values if value is not None})

    def write_rows(self, message: RecordMessage, rows: Sequence[Row]) -> None:
        """Write the rows of a chunk, for which the SDK has made one message."""
        write_lines(record_lines(message, rows))


class NoWriter(SimpleSingerWriter):
    """Writes no messages, for a test of the connection."""

    @override
    def write_message(self, message: Message) -> None:
        """Do nothing."""


def write_lines(lines: bytes) -> None:
    """Write whole lines to standard output."""
    out = sys.stdout
    if hasattr(out, "buffer"):
        out.flush()
        out.buffer.write(lines)
        out.buffer.flush()
    else:  # a StringIO, in which a caller collects the output
        out.write(lines.decode())


def record_lines(message: RecordMessage, rows: Sequence[Row]) -> bytes:
    """Return the RECORD lines of ``rows``, with the stream, version and time of ``message``.

    JSON escapes line feeds in text, so each line feed in the encoder's output ends a row.
    """
    if not rows:
        return b""
    envelope = _ENCODER.encode({**message.to_dict(), "record": None, **_sdk_time(message)})
    before, after = envelope.split(b'"record":null', 1)
    before, after = before + b'"record":', after + b"\n"
    # Few copies: a row can have 64 MiB. Without a count, a single row would be copied here too.
    lines = encode_rows(rows).replace(b"\n", after + before, len(rows) - 1)
    return b"".join((before, memoryview(lines)[:-1], after))


def _sdk_time(message: RecordMessage) -> dict[str, str]:
    """Return the time of a message in the format of the SDK."""
    moment = message.time_extracted
    return {"time_extracted": moment.isoformat()} if moment else {}


def encode_rows(rows: Sequence[Row]) -> bytes:
    """Return the rows as lines of JSON."""
    try:
        return _ENCODER.encode_lines(rows)
    except (OverflowError, UnicodeEncodeError, TypeError):  # such as an integer beyond 64 bits
        return b"".join(serialize_json(as_record(row)).encode() + b"\n" for row in rows)


def as_record(row: Row) -> dict[str, Any]:
    """Return the row as the dict that the SDK expects, without its unset fields."""
    names = zip(row.__struct_encode_fields__, row.__struct_fields__, strict=True)
    values = ((field, getattr(row, name)) for field, name in names)
    return {field: msgspec.to_builtins(value) for field, value in values if value is not UNSET}


class ChunkCounter(metrics.Counter):
    """A counter that counts the rows of a chunk, where the SDK counts one record."""

    rows: int = 1

    @override
    def increment(self, value: int = 1) -> None:
        super().increment(value * self.rows)


class ChunkedStream(Stream):
    """What the SDK has to do in another way if a stream yields chunks."""

    _counter: ChunkCounter | None = None

    @override
    def get_record_counter(
        self, *, endpoint: str | None = None, log_interval: float = metrics.DEFAULT_LOG_INTERVAL
    ) -> ChunkCounter:
        tags = {metrics.Tag.STREAM: self.name}
        tags |= {metrics.Tag.ENDPOINT: endpoint} if endpoint else {}
        kind = metrics.Metric.RECORD_COUNT
        self._counter = ChunkCounter(kind, dict(tags), log_interval=log_interval)
        return self._counter

    @override
    def generate_child_contexts(
        self, record: Record, context: Context | None
    ) -> Iterable[Context | None]:
        is_single = not isinstance(record, Chunk)  # a chunk means that no child is selected
        return super().generate_child_contexts(record, context) if is_single else ()

    @override
    def get_batch_config(self, config: Mapping[str, Any]) -> None:
        """Return None: the writer makes the batch files, and the SDK would ignore stream maps."""


def needs_single_records(stream: Stream) -> str | None:
    """Return why ``stream`` must take the SDK's own path, record by record; None if it need not."""
    reasons = {
        "a record limit": stream.ABORT_AT_RECORD_COUNT is not None,
        "flattening": bool(stream.config.get("flattening_enabled")),
        "stream maps": len(stream.stream_maps) != 1
        or type(stream.stream_maps[0]) is not SameRecordTransform,
        "child streams": any(
            child.selected or child.has_selected_descendents for child in stream.child_streams
        ),
        "nested deselection": any(
            # A field that is deselected as a whole has no content to deselect.
            len(path) > 2 and not is_selected and stream.mask[path[:2]]
            for path, is_selected in stream.mask.items()
        ),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


FAST, SLOW = TypeConformanceLevel.NONE, TypeConformanceLevel.RECURSIVE
