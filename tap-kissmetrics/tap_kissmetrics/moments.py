"""Moments as the vendor and the state write them."""

from __future__ import annotations

from datetime import datetime, timezone

EARLIEST = datetime.min.replace(tzinfo=timezone.utc)


def utc(text: object) -> datetime:
    """A date-time with an offset, in UTC, so that two of them also compare as texts.

    The vendor writes ``Z`` in one list and ``+00:00`` in the others [reference, section 2.1].

    Raises:
        ValueError: when it is anything else.
    """
    moment = datetime.fromisoformat(str(text).replace("Z", "+00:00"))  # 3.10 knows no Z
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.astimezone(timezone.utc)
