"""The garbage collector while rows go through."""

from __future__ import annotations

import gc

import pytest
from tap_kit.memory import rare_collections

from tests.kit.canned import ID, Table, run_of, tap_of


def test_it_looks_seldom_during_a_run_and_as_before_after_it() -> None:
    before, seen = gc.get_threshold(), []

    def read(_: object) -> list[dict[str, int]]:
        seen.append(gc.get_threshold())
        return [{"id": 1}]

    run_of(tap_of(Table({"id": ID}, read))(config={}))
    assert seen == [(50_000, *before[1:])]
    assert gc.get_threshold() == before


def broken_off(seen: list[int]) -> None:
    with rare_collections():
        seen.append(gc.get_freeze_count())
        raise KeyError


def test_it_is_as_before_after_an_error() -> None:
    before, seen = (gc.get_threshold(), gc.get_freeze_count()), list[int]()
    with pytest.raises(KeyError):
        broken_off(seen)
    assert seen[0] > 0
    assert (gc.get_threshold(), gc.get_freeze_count()) == before


def test_cycles_are_still_found() -> None:
    found: list[int] = []

    class Node:
        other: Node

        def __del__(self) -> None:
            found.append(1)

    with rare_collections():
        for _ in range(120_000):
            node = Node()
            node.other = node
    assert found
