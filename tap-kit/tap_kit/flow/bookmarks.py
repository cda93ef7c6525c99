"""Bookmarks that advance by window, not by record."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

# The class behind the public property `Stream.state_manager`; the SDK names it nowhere else.
from singer_sdk.streams._state import StreamStateManager
from typing_extensions import override

from tap_kit.errors import SyncFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from singer_sdk.helpers.types import Context, Record, TapState


MAX_AHEAD = timedelta(days=1)
"""How far a bookmark can be after today: the clocks of two machines differ, and so do zones."""


class WindowBookmarks(StreamStateManager):
    """The state of a stream whose bookmarks stand for whole windows.

    The SDK advances a bookmark with each record. That is too early (other rows of the window are
    not written yet) and not enough (a window without rows would never count as read). Here records
    do not advance it; :meth:`advance` does, when a window has been written.
    """

    @override
    def increment_state(
        self, latest_record: Record, *, context: Context | None = None, replication_key: str
    ) -> None:
        """Leave the bookmark to ``advance``."""

    @override
    def write_starting_replication_value(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: the plan determines the start, as it knows the lookback."""

    def advance(self, context: Context | None, replication_key: str, value: str | int) -> None:
        """Advance the bookmark to ``value``; never move it back."""
        state = self.get_context_state(context)
        before = state.get("replication_key_value")
        if state.get("replication_key") != replication_key or before is None or before < value:
            state["replication_key"] = replication_key
            state["replication_key_value"] = value
        self.is_flushed = False


def read_bookmark(
    state: TapState, stream: str, context: Mapping[str, Any] | None, replication_key: str
) -> Any | None:
    """Return the stored bookmark of a stream or of one of its partitions; None if there is none.

    Unlike the SDK's functions, it does not add an empty entry for a partition without one.
    """
    entry: Mapping[str, Any] = state.get("bookmarks", {}).get(stream, {})
    if context is not None:
        matches = (part for part in entry.get("partitions", []) if part.get("context") == context)
        entry = next(matches, {})
    if entry.get("replication_key") != replication_key:
        return None
    return entry.get("replication_key_value")


def bookmarked_day(
    value: object, day_of: Callable[[str], date], stream: str, latest: date
) -> date | None:
    """Return the day of a stored bookmark; None if there is none.

    Raises:
        SyncFailed: if the tap did not write the bookmark, such as one after the day ``latest``:
            the tap would read nothing until then, without an error.
    """
    if value is None:
        return None
    problem = "not a date"
    with contextlib.suppress(ValueError, OverflowError):  # a zone can make it the year 0
        if isinstance(value, str):
            day = day_of(value)
            if day <= latest:
                return day
            problem = "in the future"
    msg = f"{stream}: the bookmark in the state is {problem}; repair or clear the state"
    raise SyncFailed(msg)
