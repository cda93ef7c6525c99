"""Choose the files to read: by revision, by the days of the settings, by shard."""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, NamedTuple

from tap_kit import SyncFailed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date

    from tap_kissmetrics.raw_exports.index import Indexed

MARGIN = timedelta(days=1)  # a file of one day has events of the day before or after
_LISTED = 10  # ranges in a message
_LONGEST_GAPS = 10  # in multiples of the files; longer ones are not looked for


class Days(NamedTuple):
    """The days of ``start_date`` and ``end_date``; None for no limit."""

    first: date | None = None
    last: date | None = None


class Plan(NamedTuple):
    """The files to read, and what is to be logged about the others (revisions)."""

    files: Sequence[Indexed] = ()
    gaps: Sequence[int] = ()  # the index does not have them
    not_indexed: Sequence[int] = ()  # the bucket has them, the index between its files has not
    not_yet_indexed: Sequence[int] = ()  # the bucket has them after the last one of the index
    deleted: Sequence[int] = ()  # before the first one that the bucket still has


def plan(
    index: Mapping[int, Indexed],
    present: Collection[int],
    *,
    after: int,
    days: Days,
    shard: tuple[int, int] = (0, 1),
    source: str = "",
    furthest: int = -1,
) -> Plan:
    """Return what to read after the revision ``after``; ``present`` is what the bucket has.

    ``after`` is the first bookmark of the streams, ``furthest`` the last one.
    A file of the index that the bucket has not is planned too, and fails when it is read, unless
    it is before the first one that the bucket has: the vendor does not write deleted files again.

    Raises:
        SyncFailed: if the bucket has none of the files of the index, or the bookmark is beyond
            the last file.
    """
    first = min((one for one in present if one in index), default=None)
    if first is None:
        if not index:
            return Plan(not_yet_indexed=sorted(present))
        msg = f"{source}: the index has {len(index):,} files, of which the bucket has none"
        raise SyncFailed(msg)
    last, start = max(index), max(first, after) + 1
    _require_bookmark(max(after, furthest), last, source)
    later = _within([one for one in index.values() if one.revision >= first], days)
    return Plan(
        [one for one in later if one.revision > after and one.revision % shard[1] == shard[0]],
        _gaps(range(start, last), index, present),
        sorted(one for one in present if start <= one < last and one not in index),
        sorted(one for one in present if one > last),
        [one for one in index if after < one < first],
    )


def _require_bookmark(bookmark: int, last: int, source: str) -> None:
    if bookmark > last:
        msg = (
            f"{source}: the bookmark is revision {bookmark}, but the last one of the index is"
            f" {last}; the export may have begun again: check raw_exports, or clear the state"
        )
        raise SyncFailed(msg)


def _gaps(span: range, index: Mapping[int, Indexed], present: Collection[int]) -> Sequence[int]:
    """Return the revisions that neither the index nor the bucket has; none of a huge span."""
    is_huge = len(span) > _LONGEST_GAPS * len(index)
    return [] if is_huge else [one for one in span if one not in index and one not in present]


def _within(entries: Sequence[Indexed], days: Days) -> Sequence[Indexed]:
    """Return the files from the first to the last one that can have lines of these days."""
    places = [place for place, entry in enumerate(entries) if _may_have(entry, days)]
    return entries[places[0] : places[-1] + 1] if places else ()


def _may_have(entry: Indexed, days: Days) -> bool:
    first, last = entry.min_timestamp, entry.max_timestamp
    is_early = days.first and last and last < _midnight(days.first) - MARGIN
    is_late = days.last and first and first >= _midnight(days.last) + timedelta(days=1) + MARGIN
    return not is_early and not is_late


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), timezone.utc)


def ranges(revisions: Iterable[int]) -> str:
    """Return ascending revisions for a message, such as ``3, 5-7``: the first ten ranges."""
    found: list[list[int]] = []
    for revision in revisions:
        if found and found[-1][-1] == revision - 1:
            found[-1][1:] = [revision]
        else:
            found.append([revision])
    texts = ["-".join(map(str, one)) for one in found[:_LISTED]]
    return ", ".join(texts) + (f" and {len(found) - _LISTED} more" if len(found) > _LISTED else "")
