"""Keys and shards: documented, stable, distinct."""

import hashlib
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_kit.rows.keys import row_id, row_ids, shard_of

WORDS = st.text(st.characters(exclude_categories=["Cs"]))
WHOLE = st.integers(-(2**63), 2**64 - 1)
VALUES = st.none() | st.booleans() | WHOLE | WORDS
PARTITIONS = st.lists(st.tuples(st.integers(1, 10**6), WORDS), unique=True, max_size=60)


def documented(values: Sequence[object]) -> str:
    """Return the documented key: the 128-bit BLAKE2b hash in hex of the compact JSON array."""
    text = json.dumps(list(values), ensure_ascii=False, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@pytest.mark.parametrize(
    "values",
    [
        (1, "all", "2024-01-01", "/"),
        (1, "all", "2024-01-01", None),
        (1, "all", "2024-01-01", ""),
        ("Çatalca", "日本", "😀", 'a "quote" and a \\'),
        ("line\nfeed", "tab\t", "\x00\x1f\x7f", "/slash"),
        (True, False, 0, -1),
        (2**63 - 1, -(2**63), 2**64 - 1),
        (),
    ],
)
def test_row_id_is_the_documented_hash(values: tuple[object, ...]) -> None:
    assert row_id(values) == documented(values)
    assert row_id(list(values)) == documented(values)


@given(values=st.lists(VALUES, max_size=6))
def test_any_natural_key_has_the_documented_hash(values: list[object]) -> None:
    assert row_id(values) == documented(values)


def test_row_ids_do_not_change_between_versions() -> None:
    """The keys in warehouses must not change. Made with: ``printf %s '[...]' | b2sum -l 128``."""
    assert row_id((1, "all", "2024-01-01", None)) == "d47bcbc11835bb37f0c4aa95b041f10e"


def test_integer_beyond_64_bits_has_a_row_id() -> None:
    assert row_id((2**64, "a")) == documented((2**64, "a"))
    assert row_id((-(2**70),)) == documented((-(2**70),))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((1, None), (1, "")),
        ((1, None), (1, "null")),
        ((1, "2"), (1, 2)),
        (("a", "b"), ("ab", "")),
        (("a,b",), ("a", "b")),
        ((True,), (1,)),
    ],
)
def test_similar_natural_keys_have_different_row_ids(
    one: tuple[object, ...], other: tuple[object, ...]
) -> None:
    assert row_id(one) != row_id(other)


def test_repeated_key_has_its_occurrence_as_one_more_value() -> None:
    keys = [("a", None), ("b", "x"), ("a", None), ("a", ""), ("a", None)]
    assert row_ids(keys) == [
        documented(("a", None)),
        documented(("b", "x")),
        documented(("a", None, 2)),
        documented(("a", "")),
        documented(("a", None, 3)),
    ]


def test_true_and_one_are_different_keys() -> None:
    assert row_ids([(1,), (True,), (1.0,)])[:2] == [documented((1,)), documented((True,))]


def test_lists_and_objects_can_be_parts_of_a_key() -> None:
    """The check of types, which reports such a value, comes after the keys."""
    assert row_ids([(["a"],), ({"b": 1},), (["a"],)]) == [
        documented((["a"],)),
        documented(({"b": 1},)),
        documented((["a"], 2)),
    ]


@given(keys=st.lists(st.tuples(st.sampled_from([1, 2]), st.sampled_from([None, "", "x"]))))
def test_row_ids_are_all_different_and_depend_on_earlier_keys_only(
    keys: list[tuple[int, str | None]],
) -> None:
    ids = row_ids(keys)
    assert len(set(ids)) == len(keys)
    half = len(keys) // 2
    assert row_ids(keys[:half]) == ids[:half]


def test_row_ids_come_in_the_order_of_an_iterator() -> None:
    assert row_ids((n,) for n in range(3)) == [row_id((n,)) for n in range(3)]
    assert row_ids([]) == []


@pytest.mark.parametrize("shards", range(1, 8))
def test_each_partition_belongs_to_exactly_one_shard(shards: int) -> None:
    partitions = [[domain, segment] for domain in range(200) for segment in ("all", "ads")]
    parts = [[p for p in partitions if shard_of(p, shards) == i] for i in range(shards)]
    assert sorted(p for part in parts for p in part) == sorted(partitions)
    assert min(map(len, parts)) > len(partitions) / shards / 2, "unevenly distributed"


@given(partitions=PARTITIONS, shards=st.integers(1, 7))
def test_any_partition_has_a_valid_shard(partitions: list[tuple[int, str]], shards: int) -> None:
    found = [shard_of(partition, shards) for partition in partitions]
    assert all(0 <= shard < shards for shard in found)
    assert found == [shard_of(list(partition), shards) for partition in partitions]


@given(partition=st.tuples(WHOLE, WORDS), shards=st.integers(1, 1000))
def test_shard_depends_on_the_value_only(partition: tuple[int, str], shards: int) -> None:
    text = json.dumps(partition, ensure_ascii=False, separators=(",", ":"))
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    assert shard_of(partition, shards) == int.from_bytes(digest, "big") % shards
