"""Keys that are never null and never long, for rows whose natural key can be either."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_ENCODER = msgspec.json.Encoder()


def row_id(values: Sequence[object]) -> str:
    """128-bit BLAKE2b in hex (32 characters) over the compact JSON array of ``values``.

    The array is UTF-8 without escapes for other alphabets; null stays null in it, so that a
    missing part and an empty text give different keys.
    """
    return hashlib.blake2b(_ENCODER.encode(values), digest_size=16).hexdigest()


def row_ids(natural_keys: Iterable[tuple[object, ...]]) -> list[str]:
    """A ``row_id`` for each natural key of one answer, in order, all different.

    A key that comes again in the same answer (two countries without a name) has its occurrence,
    2 and up, as one more value, so that neither row replaces the other.
    """
    seen: Counter[str] = Counter()
    ids = []
    for key in natural_keys:
        first = row_id(key)
        seen[first] += 1
        again = seen[first]
        ids.append(first if again == 1 else row_id((*key, again)))
    return ids


def shard_of(partition: Sequence[object], shards: int) -> int:
    """Which of ``shards`` shards reads ``partition``: the same on every machine and every day."""
    digest = hashlib.blake2b(_ENCODER.encode(partition), digest_size=8).digest()
    return int.from_bytes(digest, "big") % shards
