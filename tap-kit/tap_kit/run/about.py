"""What ``--about --format=markdown`` says of the streams; the SDK tells of the settings only."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk import Stream

HEAD = ("| stream | key | replication | a row |", "|---|---|---|---|")


def streams_table(streams: Iterable[Stream]) -> str:
    """The streams as a Markdown table: key, how they are replicated, what a row is."""
    return "\n".join((*HEAD, *map(_row, streams)))


def _row(stream: Stream) -> str:
    keys = ", ".join(f"`{key}`" for key in stream.primary_keys)
    by = f"by `{stream.replication_key}`" if stream.replication_key else "whole"
    return f"| `{stream.name}` | {keys} | {by} | {stream.schema.get('title', '')} |"
