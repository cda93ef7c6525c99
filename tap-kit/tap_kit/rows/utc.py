"""Date-times in UTC, for targets that store a text as it is.

A database that reads a text as a timestamp without a zone ignores the offset, without an error, and
rounds what is smaller than a microsecond.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from itertools import groupby
from typing import TYPE_CHECKING

import msgspec

from tap_kit.rows.types import attributes_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_UTC_TIME = re.compile(r".{19}(\.\d{1,6})?(Z|\+00:00)?", re.ASCII)
_DIGITS = re.compile(r"(\.\d{6})\d+", re.ASCII)


def set_to_utc(rows: Sequence[msgspec.Struct], fields: Collection[str]) -> None:
    """Change valid date-times of ``fields`` to UTC and microseconds, if they are not."""
    for kind, group in groupby(rows, type) if fields else ():
        same = list(group)
        for attribute in attributes_of(kind, fields).values():
            for row in same:
                text = getattr(row, attribute)
                if isinstance(text, str) and not _UTC_TIME.fullmatch(text):
                    setattr(row, attribute, _in_utc(text))


def _in_utc(text: str) -> str:
    moment = msgspec.convert(_DIGITS.sub(r"\1", text), datetime)
    try:
        return (moment.astimezone(timezone.utc) if moment.tzinfo else moment).isoformat()
    except OverflowError:  # in the first or the last year
        return text
