"""Decode lines into objects, and mend those that are not JSON."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tap_kissmetrics.raw_exports.lines import MAX_LINE_BYTES, CutLine
from tap_kissmetrics.raw_exports.mending import mend

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Record = dict[str, Any]

_NOT_JSON = "is not JSON"
_LINE = msgspec.json.Decoder(Record)


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
    failed = []
    while len(records) < len(lines):
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            records.extend(objects)  # those before an error stay
            break
        failed.append(len(records))
        records.append(None)
    if not failed:
        return Decoded(range(len(lines)), records, {}, {})
    mended: dict[int, str] = {}
    reasons: dict[int, str] = {}
    for place in failed:
        records[place], kinds = _mended(lines[place])
        (reasons if records[place] is None else mended)[place] = kinds
    places = [*range(len(lines))]
    for place in reversed(reasons):  # a few of them
        del places[place], records[place]
    return Decoded(places, records, mended, reasons)


def _mended(line: bytes) -> tuple[Record | None, str]:
    """Return the object of a line that is none as it is, and what was mended; or None, and why."""
    if isinstance(line, CutLine):
        return None, f"is longer than {MAX_LINE_BYTES >> 20} MiB"
    reason = str(_object_of(line))
    if reason == _NOT_JSON:
        mended = mend(line)
        record = _object_of(mended.line) if mended.kinds else reason
        if not isinstance(record, str):
            return record, mended.kinds
    return None, reason


def _object_of(line: bytes) -> Record | str:
    """Return the object of a line, or why there is none."""
    try:
        return _LINE.decode(line)
    except msgspec.ValidationError as error:
        is_kind = str(error).startswith("Expected")
        return "is not a JSON object" if is_kind else "has a number that is out of range"
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _NOT_JSON if line.strip() else "is empty"
    except RecursionError:
        return "is nested too deeply"
