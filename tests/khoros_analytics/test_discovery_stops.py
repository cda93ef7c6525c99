"""Discovery takes minutes at the vendor's rate limit; it can be stopped at any time."""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from sandbox.faults import Fault

from tests.forks import Forked
from tests.processes import clean_environment, close_stdout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.khoros_analytics.site import Site

LIMIT_S = 5.0
COMMANDS = [("--discover",), ("--test",), ()]  # without a catalog, a run discovers too


@contextmanager
def discovering(site: Site, *arguments: str) -> Iterator[Forked]:
    """Start the executable and wait until its discovery waits for a response."""
    site.api.faults.append(Fault("stall", wait_ms=60_000, path="reports/report/"))
    with Forked(site.command(*arguments), clean_environment()) as process:
        try:
            while not site.requested("reports/report/"):
                time.sleep(0.01)
            yield process
        finally:
            process.send_signal(signal.SIGKILL)


@pytest.mark.parametrize("arguments", COMMANDS, ids=str)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_discovery_with_an_exit_code(
    site: Site, number: signal.Signals, arguments: tuple[str, ...]
) -> None:
    with discovering(site, *arguments) as process:
        began = time.monotonic()
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=30)
        took = time.monotonic() - began
    assert process.returncode == 128 + number
    assert took < LIMIT_S
    assert stdout == b"", "neither an incomplete catalog nor a state"
    assert f"Stopped by {number.name}" in stderr.decode()
    assert b"Traceback" not in stderr


@pytest.mark.parametrize("arguments", COMMANDS, ids=str)
def test_discovery_stops_when_its_output_is_closed(site: Site, arguments: tuple[str, ...]) -> None:
    """So it is when Meltano was killed; otherwise it would run until all requests time out."""
    with discovering(site, *arguments) as process:
        took, stderr = close_stdout(process)
    assert process.returncode == 1
    assert took < LIMIT_S
    assert stderr.count("The target stopped reading") == 1
