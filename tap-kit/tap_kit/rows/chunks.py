"""The fast way out: a chunk of rows that the SDK handles as one record.

The SDK's own path costs some 50 microseconds a record: type conformance, selection, stream maps, a
message object, a flush. Nothing of that is needed when rows are checked against the schema by
compiled code and nobody looks at single records. So a stream yields a :class:`Chunk`: a dict that
holds the context and nothing else, with the rows beside it. The SDK does its bookkeeping once for
the chunk, and :class:`ChunkWriter` writes a RECORD line for each of its rows in one go.

Only public hooks of the SDK are used (``get_records``, ``generate_child_contexts``,
``get_record_counter``, ``TYPE_CONFORMANCE_LEVEL``, ``message_writer_class``).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET
from singer_sdk import metrics
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib import RecordMessage
from singer_sdk.singerlib.encoding import SimpleSingerWriter
from singer_sdk.singerlib.json import serialize_json
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk import Stream
    from singer_sdk.singerlib import Message

    from tap_kit.rows.check import Row

CHUNK_ROWS = 5_000  # rows a write: enough to make a write cheap, small enough to keep memory flat
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Chunk(dict[str, Any]):
    """Rows that travel as one record. As a dict it has only what the SDK itself puts in."""

    __slots__ = ("rows",)

    def __init__(self, rows: Sequence[Row]) -> None:
        super().__init__()
        self.rows = rows


class ChunkWriter(SimpleSingerWriter):
    """Writes Singer messages to stdout; a chunk's rows as one RECORD line each."""

    @override
    def write_message(self, message: Message) -> None:
        if isinstance(message, RecordMessage) and isinstance(message.record, Chunk):
            _write(record_lines(message, message.record.rows))
        else:
            super().write_message(message)


def _write(lines: bytes) -> None:
    out = sys.stdout
    if hasattr(out, "buffer"):
        out.flush()
        out.buffer.write(lines)
        out.buffer.flush()
    else:  # a StringIO, where a caller collects the output
        out.write(lines.decode())


def record_lines(message: RecordMessage, rows: Sequence[Row]) -> bytes:
    """The RECORD lines of ``rows``, with the stream, version and time of ``message``.

    JSON escapes line feeds in text, so each line feed in the encoder's output ends a row.
    """
    if not rows:
        return b""
    envelope = _ENCODER.encode(
        {**message.to_dict(), "record": None, **_time_as_the_sdk_writes_it(message)}
    )
    before, after = envelope.split(b'"record":null', 1)
    before, after = before + b'"record":', after + b"\n"
    lines = _encoded(rows)
    return before + lines[:-1].replace(b"\n", after + before) + after


def _time_as_the_sdk_writes_it(message: RecordMessage) -> dict[str, str]:
    moment = message.time_extracted
    return {"time_extracted": moment.isoformat()} if moment else {}


def _encoded(rows: Sequence[Row]) -> bytes:
    try:
        return _ENCODER.encode_lines(rows)
    except (OverflowError, UnicodeEncodeError, TypeError):  # an integer beyond 64 bits and the like
        return b"".join(serialize_json(as_record(row)).encode() + b"\n" for row in rows)


def as_record(row: Row) -> dict[str, Any]:
    """The row as the dict that the SDK expects, without the fields that it does not have."""
    names = zip(row.__struct_encode_fields__, row.__struct_fields__, strict=True)
    values = ((field, getattr(row, name)) for field, name in names)
    return {field: msgspec.to_builtins(value) for field, value in values if value is not UNSET}


class ChunkCounter(metrics.Counter):
    """Counts the rows of a chunk where the SDK counts one record."""

    rows: int = 1

    @override
    def increment(self, value: int = 1) -> None:
        super().increment(value * self.rows)


def needs_single_records(stream: Stream) -> str | None:
    """Why ``stream`` has to take the SDK's own path, record by record; None when it need not."""
    reasons = {
        "a record limit": stream.ABORT_AT_RECORD_COUNT is not None,
        "batch messages": bool(stream.config.get("batch_config")),
        "flattening": bool(stream.config.get("flattening_enabled")),
        "stream maps": len(stream.stream_maps) != 1
        or type(stream.stream_maps[0]) is not SameRecordTransform,
        "child streams": any(
            child.selected or child.has_selected_descendents for child in stream.child_streams
        ),
        "nested deselection": any(
            # Of a field that is deselected as a whole nothing is left to look into.
            len(path) > 2 and not chosen and stream.mask[path[:2]]
            for path, chosen in stream.mask.items()
        ),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


FAST, SLOW = TypeConformanceLevel.NONE, TypeConformanceLevel.RECURSIVE
