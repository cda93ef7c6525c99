"""The bodies of lists, as rows: bare, or inside of an object under one of several names."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType, defstruct
from tap_kit.rows.check import RowDecoder

from tap_kissmetrics.client import is_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_kit.net.http import Decode
    from tap_kit.rows.check import RowCheck

BESIDES = ("links", "pagination", "total")  # what an object tells besides its records


def list_decoder(check: RowCheck, keys: Sequence[str]) -> Decode:
    """Makes rows of the records of a list; ``keys`` are the names under which they can be.

    What is no list of records comes as it is, for the client to say so.
    """
    rows = RowDecoder(check, partial(_answer_type, keys), is_record)

    def decode(body: bytes, source: str) -> Any:
        answer = rows(body, source)
        if not isinstance(answer, msgspec.Struct):
            return answer
        parts = ((name, getattr(answer, name)) for name in answer.__struct_fields__)
        return {name: part for name, part in parts if part is not UNSET}

    return decode


def _answer_type(keys: Sequence[str], row: Any) -> Any:
    records = list[row] | dict[str, Any] | None | UnsetType
    envelope = defstruct(
        "Envelope",
        [
            *((key, records, UNSET) for key in keys),
            *((name, Any, UNSET) for name in BESIDES if name not in keys),
        ],
    )
    return list[row] | envelope
