"""The end of a run, in this process: signals, output errors, one line and an exit code."""

from __future__ import annotations

import logging
import os
import queue
import signal
import threading

import pytest
import tap_kit.run.command
from singer_sdk.exceptions import MappingError
from tap_kit.errors import Interrupted, setting_error
from tap_kit.run.command import exit_on_signals, one_line_errors, stop_on_signals

LONG_S = 20  # no wait takes that long unless the test fails
LOGGER = logging.getLogger("tap-canned")


def test_invalid_stream_map_is_one_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    error = MappingError("no\n  such   function")
    with pytest.raises(SystemExit) as caught, one_line_errors(LOGGER):
        raise error
    assert caught.value.code == 1
    assert caplog.messages == ["stream_maps is not valid: no such function"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_run_names_the_signal_and_exits_with_its_number(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tap_kit.run.command, "EXIT_TIMEOUT_S", 60)
    monkeypatch.setattr(tap_kit.run.command, "_received", [])
    stop = threading.Event()
    with pytest.raises(SystemExit) as caught, one_line_errors(LOGGER), stop_on_signals(stop):
        _interrupt(number, stop)
    assert caught.value.code == 128 + number
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.message == (
        f"Stopped by {number.name}; bookmarks are written, and the next run resumes from them"
    )
    _end_timers()


def _interrupt(number: signal.Signals, stop: threading.Event) -> None:
    signal.raise_signal(number)
    assert stop.is_set()
    raise Interrupted


def test_run_stopped_without_a_signal_exits_as_after_ctrl_c(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tap_kit.run.command, "_received", [])
    with pytest.raises(SystemExit) as caught, one_line_errors(LOGGER):
        raise Interrupted
    assert caught.value.code == 130
    assert caplog.messages[0].startswith("Stopped by SIGINT; ")


def exits(monkeypatch: pytest.MonkeyPatch) -> queue.SimpleQueue[int]:
    """Return the codes that ``os._exit`` receives from now on."""
    codes: queue.SimpleQueue[int] = queue.SimpleQueue()

    def end(code: int) -> None:
        codes.put(code)
        if threading.current_thread() is threading.main_thread():
            raise SystemExit(code)

    monkeypatch.setattr(os, "_exit", end)
    return codes


def test_second_ctrl_c_ends_the_process_immediately(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tap_kit.run.command, "EXIT_TIMEOUT_S", 60)
    codes = exits(monkeypatch)
    with stop_on_signals(threading.Event()):
        signal.raise_signal(signal.SIGINT)
        assert codes.empty()
        with pytest.raises(SystemExit):
            signal.raise_signal(signal.SIGINT)
    assert codes.get(timeout=LONG_S) == 128 + signal.SIGINT
    _end_timers()


@pytest.mark.parametrize(
    "numbers",
    [
        (signal.SIGINT, signal.SIGTERM),  # Ctrl-C in a terminal, then one from Meltano
        (signal.SIGTERM, signal.SIGTERM),  # systemd to all processes, then one from Meltano
        (signal.SIGTERM, signal.SIGINT),
    ],
)
def test_second_signal_from_meltano_does_not_end_the_process(
    numbers: tuple[signal.Signals, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise jobs would not be cancelled, nor the last bookmarks written."""
    monkeypatch.setattr(tap_kit.run.command, "EXIT_TIMEOUT_S", 60)
    monkeypatch.setattr(tap_kit.run.command, "_received", [])
    codes = exits(monkeypatch)
    stop = threading.Event()
    with stop_on_signals(stop):
        for number in numbers:
            signal.raise_signal(number)
    assert stop.is_set()
    assert codes.empty()
    assert tap_kit.run.command._received == [numbers[0]]  # noqa: SLF001
    _end_timers()


def test_signal_after_the_run_does_not_end_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tap_kit.run.command, "EXIT_TIMEOUT_S", 60)
    monkeypatch.setattr(tap_kit.run.command, "_received", [])
    codes = exits(monkeypatch)
    exit_on_signals(LOGGER)
    with stop_on_signals(threading.Event()):
        signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGTERM)
    assert codes.empty()
    _end_timers()


class _Finalized:
    """An object whose finalizer receives a signal."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGTERM)


def test_signal_in_a_finalizer_ends_the_process(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Python ignores exceptions there, so the process would continue."""
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    exit_on_signals(LOGGER)
    finalized = _Finalized()
    del finalized
    assert codes == [128 + signal.SIGTERM]
    assert caplog.messages == ["Stopped by SIGTERM"]


def test_exit_timeout_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tap_kit.run.command, "EXIT_TIMEOUT_S", 0.05)
    codes = exits(monkeypatch)
    with stop_on_signals(threading.Event()):
        signal.raise_signal(signal.SIGTERM)
        assert codes.get(timeout=LONG_S) == 128 + signal.SIGTERM


def _end_timers() -> None:
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            assert thread.daemon, "the process must not wait for a timer"
            thread.cancel()


def test_setting_error_has_its_message_as_text_and_as_only_error() -> None:
    error = setting_error("api_token", "is invalid")
    assert str(error) == "api_token is invalid"
    assert error.errors == ["api_token is invalid"]
