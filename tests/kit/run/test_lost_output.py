"""A run whose target stops reading, in this process: it notices while it waits."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import threading
import time
from typing import TYPE_CHECKING

import pytest
import tap_kit.run.command
from tap_kit.errors import Interrupted
from tap_kit.run.command import (
    TARGET_STOPPED,
    exit_when_output_closes,
    one_line_errors,
    stop_on_signals,
)

from tests.kit.run.test_ends import LONG_S, _end_timers

if TYPE_CHECKING:
    from collections.abc import Iterator

LOGGER = logging.getLogger("tap-canned")


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for thread in watchers():  # of earlier tests
        thread.join(LONG_S)
    monkeypatch.setattr(tap_kit.run.command, "EXIT_TIMEOUT_S", 600)
    monkeypatch.setattr(tap_kit.run.command, "WATCH_MS", 20)
    monkeypatch.setattr(tap_kit.run.command, "_received", [])
    yield
    _end_timers()


@contextlib.contextmanager
def piped() -> Iterator[int]:
    """Use a pipe as standard output while inside; yield its reading end."""
    reading, writing = os.pipe()
    with open(writing, "w", encoding="utf-8") as out, contextlib.redirect_stdout(out):  # noqa: PTH123
        yield reading


def watchers() -> list[threading.Thread]:
    """Return the threads that watch an output."""
    return [thread for thread in threading.enumerate() if thread.name == "output"]


def test_lost_reader_stops_the_run_with_one_line(caplog: pytest.LogCaptureFixture) -> None:
    stop = threading.Event()
    with piped() as reading, pytest.raises(SystemExit) as caught:
        _wait_for_the_stop(reading, stop)
    assert caught.value.code == 1
    assert [(r.levelname, r.getMessage()) for r in caplog.records] == [("ERROR", TARGET_STOPPED)]


def _wait_for_the_stop(reading: int, stop: threading.Event) -> None:
    with one_line_errors(LOGGER), stop_on_signals(stop):
        assert not stop.wait(0.1), "the run continues while the pipe is open"
        os.close(reading)
        assert stop.wait(LONG_S)
        raise Interrupted


def test_watcher_ends_with_the_run() -> None:
    stop = threading.Event()
    with piped() as reading:
        with stop_on_signals(stop):
            (watcher,) = watchers()
            assert watcher.daemon, "the process must not wait for a watcher"
        watcher.join(LONG_S)
        assert not watcher.is_alive()
        os.close(reading)
    assert not stop.is_set()


def test_reader_lost_after_a_stop_changes_nothing() -> None:
    stop = threading.Event()
    with piped() as reading, stop_on_signals(stop):
        (watcher,) = watchers()
        stop.set()  # as by a signal: a lost reader then changes nothing
        os.close(reading)
        watcher.join(LONG_S)
        assert not watcher.is_alive()
    assert tap_kit.run.command._received == []  # noqa: SLF001


def test_output_in_memory_is_not_watched() -> None:
    with contextlib.redirect_stdout(io.StringIO()), stop_on_signals(threading.Event()):
        assert watchers() == []


def test_reader_lost_before_the_first_row_is_reported_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """While the process is being ended, the main thread must not report the same."""
    ending, ended = threading.Event(), threading.Event()

    def end(_code: int) -> None:
        ending.set()
        time.sleep(0.1)
        ended.set()

    monkeypatch.setattr(os, "_exit", end)
    with piped() as reading, exit_when_output_closes(LOGGER):
        os.close(reading)
        assert ending.wait(LONG_S)
    assert ended.is_set()
    assert caplog.messages == [TARGET_STOPPED]
