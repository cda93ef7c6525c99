"""A run that a signal stops: it ends in time, with its bookmarks and the right exit code."""

import fcntl
import json
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from sandbox.faults import Fault
from sandbox.kindmetrics import Kindmetrics
from sandbox.server import running

from tests.forks import Forked
from tests.kit.commands import SETTINGS, arguments, start
from tests.processes import clean_environment, close_stdout

Process: TypeAlias = "Forked | subprocess.Popen[bytes]"

LIMIT_S = 5.0
TIMER_LIMIT_S = 8.0  # if the main thread hangs and a timer of 4 s ends the process
SIGNALS = [signal.SIGINT, signal.SIGTERM]
STEADY = 20  # equal sizes, 10 ms apart, of a pipe that nothing is written to
HELD = 10_000  # bytes; a full pipe has at least that many


def read_until(process: Forked, kind: str) -> list[bytes]:
    """Return the lines up to the first message of a type."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if json.loads(line)["type"] == kind:
            return lines
    raise AssertionError(lines)


def stop(process: Process, number: int) -> tuple[bytes, str, float]:
    """Send the signal; return the rest of both outputs and the duration of the end."""
    began = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    return out, err.decode(), time.monotonic() - began


def kinds(lines: list[bytes]) -> list[str]:
    """Return the types of the messages, each of which is a complete line."""
    assert all(line.endswith(b"\n") for line in lines)
    return [json.loads(line)["type"] for line in lines]


def windows_after_last_state(lines: list[bytes]) -> set[tuple[str, ...]]:
    """Return the windows whose rows the next run reads again."""
    last = max(place for place, kind in enumerate(kinds(lines)) if kind == "STATE")
    rows = [json.loads(line) for line in lines[last + 1 :] if b'"RECORD"' in line]
    return {
        (row["stream"], *(str(row["record"].get(k)) for k in ("domain_id", "date"))) for row in rows
    }


@pytest.mark.parametrize("number", SIGNALS)
def test_busy_run_ends_with_its_bookmarks(number: int, tmp_path: Path) -> None:
    vendor = Kindmetrics(token=SETTINGS["api_token"], latency_ms=50)
    with running(vendor.app) as server:
        config = {"api_url": server.url, "start_date": "2020-01-01", "state_interval": 1}
        with start(config, tmp_path) as process:
            lines = read_until(process, "STATE")
            out, err, took = stop(process, number)
    assert process.returncode == 128 + number
    assert took < LIMIT_S
    assert "Traceback" not in err
    assert f"Stopped by {signal.Signals(number).name}" in err
    messages = [*lines, *out.splitlines(keepends=True)]
    assert len(windows_after_last_state(messages)) <= 1, "the last state covers the others"


@pytest.mark.parametrize("number", SIGNALS)
def test_run_that_waits_for_a_slow_server_ends(number: int, tmp_path: Path) -> None:
    vendor = Kindmetrics(token=SETTINGS["api_token"])
    vendor.faults.append(Fault("stall", wait_ms=60_000, path="/api/domains/"))
    with running(vendor.app) as server, start({"api_url": server.url}, tmp_path) as process:
        lines = [*read_until(process, "STATE"), *read_until(process, "SCHEMA")]
        while vendor.log.in_flight < 4:
            time.sleep(0.01)
        out, err, took = stop(process, number)
    assert process.returncode == 128 + number
    assert took < LIMIT_S
    assert "Traceback" not in err
    assert kinds([*lines, *out.splitlines(keepends=True)]) == [
        *("SCHEMA", "RECORD", "STATE"),  # of the stream that is not slow
        "SCHEMA",
    ], "the state covers what was read"


@pytest.mark.parametrize("number", SIGNALS)
def test_run_stopped_before_its_first_response_is_not_a_success(
    number: int, tmp_path: Path
) -> None:
    """Exit code 0 would mean to Meltano that all data was read."""
    vendor = Kindmetrics(token=SETTINGS["api_token"])
    vendor.faults.append(Fault("stall", wait_ms=60_000))
    with running(vendor.app) as server, start({"api_url": server.url}, tmp_path) as process:
        while vendor.log.in_flight == 0:
            time.sleep(0.01)
        out, err, took = stop(process, number)
    assert process.returncode == 128 + number
    assert took < LIMIT_S
    assert "Traceback" not in err
    assert f"Stopped by {signal.Signals(number).name}\n" in err
    assert out == b""


def start_unbuffered(config: dict[str, Any], folder: Path) -> subprocess.Popen[bytes]:
    """Start a run in a new process: Python decides at its start how it buffers the output."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-u", *arguments(config, folder)]
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, env=clean_environment())


@pytest.mark.parametrize("begin", [start, start_unbuffered])
def test_stop_cuts_no_line_when_the_target_is_slow(
    begin: Callable[..., Process], tmp_path: Path
) -> None:
    """The pipe is full, so the signal arrives in the middle of a write."""
    vendor = Kindmetrics(token=SETTINGS["api_token"])
    config = {"start_date": "2020-01-01"}
    with (
        running(vendor.app) as server,
        begin({"api_url": server.url, **config}, tmp_path) as process,
    ):
        wait_until_full(process)
        out, err, _ = stop(process, signal.SIGTERM)
    assert "Traceback" not in err
    assert kinds(out.splitlines(keepends=True))[-1] == "STATE"


def wait_until_full(process: Process) -> None:
    """Wait until the tap has filled its pipe and writes nothing more."""
    assert process.stdout is not None
    held: list[int] = []
    while len(held) < STEADY or held[-1] < HELD or len({*held[-STEADY:]}) > 1:
        time.sleep(0.01)
        waiting = fcntl.ioctl(process.stdout.fileno(), termios.FIONREAD, bytes(4))
        held.append(int.from_bytes(waiting, sys.byteorder))


def test_run_with_a_target_that_does_not_read_ends(tmp_path: Path) -> None:
    vendor = Kindmetrics(token=SETTINGS["api_token"], pages_per_day=400, visitors_per_day=400)
    with running(vendor.app) as server:
        config = {"api_url": server.url, "start_date": "2023-01-01"}
        with start(config, tmp_path) as process:
            read_until(process, "RECORD")
            wait_until_full(process)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            process.wait(30)
            took = time.monotonic() - began
    assert process.returncode == 128 + signal.SIGTERM
    assert took < TIMER_LIMIT_S


@pytest.mark.parametrize("path", ["/api/domains/", ""], ids=["in the run", "in the access check"])
def test_waiting_run_ends_when_its_target_stops_reading(path: str, tmp_path: Path) -> None:
    """For example if its runner was killed. The next row may be an hour away."""
    vendor = Kindmetrics(token=SETTINGS["api_token"])
    vendor.faults.append(Fault("stall", wait_ms=60_000, path=path))
    with running(vendor.app) as server, start({"api_url": server.url}, tmp_path) as process:
        while vendor.log.in_flight == 0:
            time.sleep(0.01)
        took, err = close_stdout(process)
    assert process.returncode in {1, 128 + signal.SIGPIPE}
    assert took < TIMER_LIMIT_S
    assert "Traceback" not in err
    assert path or "The target stopped reading" in err


def test_message_when_the_target_stops_reading(tmp_path: Path) -> None:
    vendor = Kindmetrics(token=SETTINGS["api_token"])
    vendor.faults.append(Fault("stall", wait_ms=60_000, path="/api/domains/"))
    with running(vendor.app) as server, start({"api_url": server.url}, tmp_path) as process:
        read_until(process, "RECORD")
        _, err = close_stdout(process)
    assert process.returncode == 1
    assert err.count("The target stopped reading") == 1
