"""The table of streams in ``--about --format=markdown``, which the SDK does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk import Stream

_HEADER = ("| stream | key | replication | a row |", "|---|---|---|---|")


def streams_section(variant: str, streams: Iterable[Stream]) -> str:
    """Return the section of the streams of a variant of the tap, with a heading."""
    return f"{f'## Streams {variant}'.strip()}\n\n{streams_table(streams)}\n"


def streams_table(streams: Iterable[Stream]) -> str:
    """Return the streams as a Markdown table: key, replication, what a row is."""
    return "\n".join((*_HEADER, *map(_row, streams)))


def _row(stream: Stream) -> str:
    keys = ", ".join(f"`{key}`" for key in stream.primary_keys)
    by = f"by `{stream.replication_key}`" if stream.replication_key else "whole"
    return f"| `{stream.name}` | {keys} | {by} | {stream.schema.get('title', '')} |"
