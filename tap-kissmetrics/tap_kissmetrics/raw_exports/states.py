"""The bookmarks of the streams: revisions, which a shard has read of its own ones only."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from tap_kit import SyncFailed, read_bookmark

from tap_kissmetrics.raw_exports.written import ReadFiles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from singer_sdk import Stream
    from tap_kit import Partition, Run

logger = logging.getLogger(__name__)

NONE_READ = -1  # the bookmark before the first revision
_KEY, _SHARD, _FILES = "revision", "shard", "files"


def bookmark_of(stream: Stream, partition: Partition, run: Run) -> int:
    """Return the last revision that a stream has of a product.

    Raises:
        SyncFailed: if the tap did not write the bookmark.
    """
    value = read_bookmark(stream.tap_state, stream.name, dict(partition), _KEY)
    if value is None or stream.replication_method != "INCREMENTAL":
        return NONE_READ
    if not isinstance(value, int) or isinstance(value, bool):
        msg = (
            f"{stream.name}: the bookmark in the state is not a revision; repair or clear the state"
        )
        raise SyncFailed(msg)
    shard = _entry(stream, partition).get(_SHARD)
    if shard not in (None, shard_name(run)):  # anything, if the state was edited by hand
        text = "%s: the state is that of shard %s; reading all revisions of this shard"
        logger.warning(text, stream.name, shard)
        return NONE_READ
    return value


def read_files(streams: Iterable[Stream], partition: Partition) -> ReadFiles:
    """Return which files of a product the state remembers."""
    found = [ReadFiles.of_state(_entry(one, partition).get(_FILES)) for one in streams]
    return max(found, key=lambda one: one.last)


def remember(state: dict[str, Any], run: Run, files: ReadFiles | None) -> None:
    """Write to the entry of a product in the state what a bookmark does not say."""
    if run.shard.count > 1:
        state[_SHARD] = shard_name(run)
    else:
        state.pop(_SHARD, None)
    if files is not None:
        state[_FILES] = files.as_state()


def shard_name(run: Run) -> str | None:
    """Return the shard as the setting has it; None without shards."""
    shard = run.shard
    return f"{shard.index}/{shard.count}" if shard.count > 1 else None


def _entry(stream: Stream, partition: Partition) -> Mapping[str, Any]:
    entries = stream.tap_state.get("bookmarks", {}).get(stream.name, {}).get("partitions", [])
    return next((one for one in entries if one.get("context") == dict(partition)), {})
