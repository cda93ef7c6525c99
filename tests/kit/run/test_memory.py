"""Garbage collection and freed memory during a run."""

from __future__ import annotations

import gc
import platform
import subprocess
import sys
from unittest.mock import patch

import pytest
from tap_kit.run.memory import infrequent_collections, reuse_freed_memory

from tests.kit.canned import ID, Table, run_of, tap_of


def test_garbage_collection_is_infrequent_during_a_run_only() -> None:
    before, seen = gc.get_threshold(), []

    def read(_: object) -> list[dict[str, int]]:
        seen.append(gc.get_threshold())
        return [{"id": 1}]

    run_of(tap_of(Table({"id": ID}, read))(config={}))
    assert seen == [(50_000, *before[1:])]
    assert gc.get_threshold() == before


def interrupted(seen: list[int]) -> None:
    with infrequent_collections():
        seen.append(gc.get_freeze_count())
        raise KeyError


def test_garbage_collection_is_restored_after_an_error() -> None:
    before, seen = (gc.get_threshold(), gc.get_freeze_count()), list[int]()
    with pytest.raises(KeyError):
        interrupted(seen)
    assert seen[0] > 0
    assert (gc.get_threshold(), gc.get_freeze_count()) == before


def test_reference_cycles_are_still_collected() -> None:
    found: list[int] = []

    class Node:
        other: Node

        def __del__(self) -> None:
            found.append(1)

    with infrequent_collections():
        for _ in range(120_000):
            node = Node()
            node.other = node
    assert found


FAULTS = """
import resource, sys
from tap_kit.run.memory import reuse_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(50):
        responses = [b"x" * 1_000_000 for _ in range(8)]
        del responses
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

if "kept" in sys.argv:
    reuse_freed_memory()
print(faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
def test_freed_memory_is_reused() -> None:
    returned, kept = (
        int(subprocess.check_output([sys.executable, "-c", FAULTS, *arguments]))
        for arguments in ((), ("kept",))
    )
    assert kept * 5 < returned


def test_c_library_without_mallopt_is_no_error() -> None:
    with patch("tap_kit.run.memory.ctypes.CDLL", return_value=object()) as library:
        reuse_freed_memory()
    library.assert_called_once()
