"""Tests with the same mark ``xdist_group`` run in one worker, which pytest-xdist has to support."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests import processors

if TYPE_CHECKING:
    from pathlib import Path

TESTS = """
import os
import pytest

@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(6))
def test_worker(number, pytestconfig):
    with open(pytestconfig.rootpath / "workers", "a") as file:
        file.write(os.environ["PYTEST_XDIST_WORKER"] + "\\n")
"""


@pytest.mark.process
def test_tests_of_a_group_run_in_one_worker(tmp_path: Path) -> None:
    """Otherwise each worker installs Meltano's plugins and runs the demo for itself."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (tmp_path / "test_one.py").write_text(TESTS, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup"]
    subprocess.run(command, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    workers = (tmp_path / "workers").read_text(encoding="utf-8").split()
    assert len(workers) == 6
    assert len(set(workers)) == 1


def test_one_worker_stays_on_each_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "ALL", [3, 5])
    used = [processors.processors_of(f"gw{n}", has_processes=False) for n in range(4)]
    assert used == [{3}, {5}, {3, 5}, {3, 5}]
    assert processors.processors_of("gw0", has_processes=True) == {3, 5}
    assert processors.processors_of(None, has_processes=False) == {3, 5}
