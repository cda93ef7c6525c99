"""Bookmarks that move by window, not by record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

# The class behind the public property `Stream.state_manager`; the SDK names it nowhere else.
from singer_sdk.streams._state import StreamStateManager
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk.helpers.types import Context, Record, TapState


class WindowBookmarks(StreamStateManager):
    """A stream's state in which a bookmark stands for whole windows.

    The SDK moves a bookmark with each record. That is too early (the window's other rows are still
    to come) and not enough (a window without rows would never count as read). So records do not
    move it here; :meth:`advance` does, when a window is written out.
    """

    @override
    def increment_state(
        self, latest_record: Record, *, context: Context | None = None, replication_key: str
    ) -> None:
        """Leave the bookmark to ``advance``."""

    @override
    def write_starting_replication_value(self, *args: Any, **kwargs: Any) -> None:
        """Leave the start to the plan, which knows the look-back; nothing to note here."""

    def advance(self, context: Context | None, replication_key: str, value: str) -> None:
        """Move the bookmark to ``value``; never back, as what was read once stays read."""
        state = self.get_context_state(context)
        before = state.get("replication_key_value")
        if state.get("replication_key") != replication_key or before is None or before < value:
            state["replication_key"] = replication_key
            state["replication_key_value"] = value
        self.is_flushed = False


def read_bookmark(
    state: TapState, stream: str, context: Mapping[str, Any] | None, replication_key: str
) -> Any | None:
    """The stored bookmark of a stream, or of one of its partitions; None where there is none.

    Unlike the SDK's own readers it adds no empty entry for a partition that has none yet.
    """
    entry: Mapping[str, Any] = state.get("bookmarks", {}).get(stream, {})
    if context is not None:
        same = (part for part in entry.get("partitions", []) if part.get("context") == context)
        entry = next(same, {})
    if entry.get("replication_key") != replication_key:
        return None
    return entry.get("replication_key_value")
