"""Discovery takes minutes at this vendor's pace; it ends at once when nobody wants it any more."""

from __future__ import annotations

import signal
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from sandbox.faults import Fault

from tests.processes import clean_environment, left_by_reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.khoros_analytics.site import Site

LIMIT_S = 5.0
COMMANDS = [("--discover",), ("--test",), ()]  # without a catalog, a run discovers too


@contextmanager
def discovering(site: Site, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The executable in the middle of discovery: the vendor does not answer."""
    site.api.faults.append(Fault("stall", wait_ms=60_000, path="reports/report/"))
    process = subprocess.Popen(
        site.command(*arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(),
    )
    with process:
        try:
            while not site.asked("reports/report/"):
                assert process.poll() is None
                time.sleep(0.01)
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("arguments", COMMANDS, ids=str)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_it_is_no_success(
    site: Site, number: signal.Signals, arguments: tuple[str, ...]
) -> None:
    with discovering(site, *arguments) as process:
        began = time.monotonic()
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=30)
        took = time.monotonic() - began
    assert process.returncode == 128 + number
    assert took < LIMIT_S
    assert stdout == "", "neither a catalog that is cut off, nor a state in its place"
    assert f"Stopped by {number.name}" in stderr
    assert "Traceback" not in stderr


@pytest.mark.parametrize("arguments", COMMANDS, ids=str)
def test_nobody_reads_it_any_more(site: Site, arguments: tuple[str, ...]) -> None:
    """Meltano was killed; else it went on till all requests had timed out."""
    with discovering(site, *arguments) as process:
        took, stderr = left_by_reader(process)
    assert process.returncode == 1
    assert took < LIMIT_S
    assert stderr.count("The target stopped reading") == 1
