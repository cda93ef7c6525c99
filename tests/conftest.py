"""What tests of several folders share."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest
from sandbox.postgres import postgres_running

from tests.prepare import SWITCHED_OFF
from tests.properties import load_profile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.postgres import Postgres

PATIENCE_S = 20.0  # what is under way when a run fails ends with its server

load_profile()


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    """Ctrl-C stays with pytest, also after a tap that was made in this process."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def _own_threads() -> Iterator[None]:
    """A run leaves no thread behind: it would ask, and say, in the middle of another test."""
    yield
    deadline = time.monotonic() + PATIENCE_S
    for thread in threading.enumerate():
        if thread.name.startswith(("fetch-", "download")):
            thread.join(max(0.0, deadline - time.monotonic()))
            assert not thread.is_alive()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for the tests of this worker; each test uses a schema of its own.

    Where there is none, the tests that need it fail: a suite that leaves them out by itself would
    be green for the wrong reason.
    """
    if os.environ.get(SWITCHED_OFF):
        pytest.skip(f"{SWITCHED_OFF} is set")
    with postgres_running() as server:
        yield server
