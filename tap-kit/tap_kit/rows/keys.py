"""Short keys that are never null, for rows whose natural key can be long or null."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_ENCODER = msgspec.json.Encoder()


def row_id(values: Sequence[object]) -> str:
    """Return the 128-bit BLAKE2b hash in hex (32 characters) of ``values`` as compact JSON.

    The JSON array is UTF-8, without escapes for non-ASCII text. None becomes null in it, so a
    missing part and an empty string have different keys.
    """
    return hashlib.blake2b(_ENCODER.encode(values), digest_size=16).hexdigest()


def row_ids(natural_keys: Iterable[tuple[object, ...]]) -> list[str]:
    """Return a ``row_id`` for each natural key of one response, in order, all different.

    If a key occurs again in the response (two countries without a name), its occurrence number, 2
    and up, is one more value of it, so that neither row replaces the other.
    """
    seen: Counter[str] = Counter()
    ids = []
    for key in natural_keys:
        first = row_id(key)
        seen[first] += 1
        occurrence = seen[first]
        ids.append(first if occurrence == 1 else row_id((*key, occurrence)))
    return ids


def shard_of(partition: Sequence[object], shards: int) -> int:
    """Return which of ``shards`` shards reads ``partition``; equal on all machines and days."""
    digest = hashlib.blake2b(_ENCODER.encode(partition), digest_size=8).digest()
    return int.from_bytes(digest, "big") % shards
