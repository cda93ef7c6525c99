"""Decode lines into objects, and mend those that are not JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tap_kissmetrics.raw_exports.lines import MAX_LINE_BYTES, CutLine
from tap_kissmetrics.raw_exports.mending import mend

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Record = dict[str, Any]

_NOT_JSON = "is not JSON"
_LINE = msgspec.json.Decoder(Record)
_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Decoded(NamedTuple):
    """The objects of lines and their places; what was mended, and why others are none, by place."""

    places: Sequence[int]
    records: Sequence[Record]
    mended: Mapping[int, str]
    reasons: Mapping[int, str]


def decode(lines: Sequence[bytes]) -> Decoded:
    """Return the objects of ``lines``.

    Compiled code decodes all lines from one that fails to the next one.
    """
    records: list[Any] = []
    objects = map(_LINE.decode, lines)
    failed: dict[int, Exception] = {}
    while len(records) < len(lines):
        error = _extended(records, objects)
        if error is not None:
            failed[len(records)] = error
            records.append(None)
    if not failed:
        return Decoded(range(len(lines)), records, {}, {})
    mended: dict[int, str] = {}
    reasons: dict[int, str] = {}
    for place, error in failed.items():
        records[place], kinds = _mended(lines[place], error)
        (reasons if records[place] is None else mended)[place] = kinds
    places = [*range(len(lines))]
    for place in reversed(reasons):  # a few of them
        del places[place], records[place]
    return Decoded(places, records, mended, reasons)


def _extended(records: list[Any], objects: Iterator[Record]) -> Exception | None:
    """Extend ``records``; return the error of a line that has no object, after those before it."""
    try:
        records.extend(objects)
    except _ERRORS as error:
        # The traceback has the frame of the caller, which keeps the error: the lines of a batch
        # would stay in memory until Python collects such circles.
        return error.with_traceback(None)
    return None


def _mended(line: bytes, error: Exception) -> tuple[Record | None, str]:
    """Return the object of a line that is none as it is, and what was mended; or None, and why."""
    if isinstance(line, CutLine):
        return None, f"is longer than {MAX_LINE_BYTES >> 20} MiB"
    reason = _reason(line, error)
    if reason == _NOT_JSON:
        mended = mend(line)
        if mended.kinds:
            try:
                return _LINE.decode(mended.line), mended.kinds
            except _ERRORS as still:
                reason = _reason(mended.line, still)
    return None, reason


def _reason(line: bytes, error: Exception) -> str:
    """Return why a line has no object."""
    if isinstance(error, RecursionError):
        return "is nested too deeply"
    if isinstance(error, msgspec.ValidationError):
        is_kind = str(error).startswith("Expected")
        return "is not a JSON object" if is_kind else "has a number that is out of range"
    return _NOT_JSON if line.strip() else "is empty"
