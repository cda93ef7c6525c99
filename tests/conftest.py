"""Fixtures for all tests."""

from __future__ import annotations

import functools
import gc
import os
import re
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from sandbox.postgres import postgres_running
from tap_kit import SECRETS

from tests import processors
from tests.prepare import SWITCHED_OFF
from tests.properties import load_profile

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from sandbox.postgres import Postgres

PATIENCE_S = 20.0  # tasks that run when a run fails end when the server does

# The groups that `make test ONLY=...` selects, as markers. All other tests are in process: they
# need neither Meltano's plugins nor PostgreSQL.
GROUPS = {
    "faults": ("anomalies", "attacks", "bad_input", "fault_matrix", "fuzz", "secrets_of_taps"),
    "meltano": ("end_to_end", "secrets_of_taps/test_meltano.py"),
    "warehouses": ("benchmarks", "orchestration", "sandbox/test_postgres.py", "warehouses"),
}
IN_PROCESS = "in_process"
TESTS = Path(__file__).parent

load_profile()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without the garbage collector, which would take a fifth of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import nothing of another group, if ``-m`` begins with a group: that takes seconds."""
    group = re.match(r"(\w+)( and (?!.* or ).*)?$", config.option.markexpr)
    if group is None or group[1] not in {*GROUPS, IN_PROCESS}:
        return None
    if TESTS not in collection_path.parents:
        return None
    folder = collection_path.relative_to(TESTS).parts[0]
    if collection_path.is_dir():  # its conftest is of no use, unless it has a file of this group
        has_own = any(Path(place).parts[0] == folder for place in GROUPS.get(group[1], ()))
        is_other = not has_own and group_of(collection_path) != group[1]
    else:
        is_other = (
            collection_path.name.startswith("test_") and group_of(collection_path) != group[1]
        )
    return True if is_other else None


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark each test with its group."""
    item.add_marker(group_of(item.path))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests that share a project or a server first; they take minutes in one worker.

    The others are short: they fill the time of the other workers up to the end.
    """
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


@functools.cache
def group_of(path: Path) -> str:
    """Return the group of a test file or a folder: a file's own before its folder's."""
    place = path.relative_to(TESTS)
    names = {name: group for group, places in GROUPS.items() for name in places}
    return names.get(str(place), names.get(place.parts[0], IN_PROCESS))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Keep the worker on one processor, unless the test starts a pipeline of processes."""
    has_processes = item.get_closest_marker("xdist_group") is not None
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    processors.use(processors.processors_of(worker, has_processes=has_processes))


@pytest.fixture(autouse=True)
def _signal_handlers_restored() -> Iterator[None]:
    """Restore pytest's signal handlers, which a tap in this process replaces."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def _no_threads_left() -> Iterator[None]:
    """Check that a run leaves no thread, which would send requests and log during another test."""
    yield
    deadline = time.monotonic() + PATIENCE_S
    for thread in threading.enumerate():
        if thread.name.startswith(("fetch-", "download")):
            thread.join(max(0.0, deadline - time.monotonic()))
            assert not thread.is_alive()


@pytest.fixture(autouse=True)
def _no_secrets_of_other_tests() -> Iterator[None]:
    """Forget the secrets of other tests: each of them makes every log line slower."""
    with patch.object(SECRETS, "_patterns", {}):
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for the tests of this worker; each test uses its own schema.

    If PostgreSQL is missing, the tests that need it fail. Skipping them by default would make the
    suite pass for the wrong reason.
    """
    if os.environ.get(SWITCHED_OFF):
        pytest.skip(f"{SWITCHED_OFF} is set")
    with postgres_running() as server:
        yield server
