"""The end of a run at the command line: one line per error, the right exit code."""

import errno
import logging
import signal
import threading

import click
import pytest
from singer_sdk.exceptions import ConfigValidationError
from tap_kit.errors import KitError, PartitionUnavailable, Retriable, SyncFailed, setting_error
from tap_kit.net.exchange import Exchange, exchanging
from tap_kit.run.command import exit_on_signals, one_line_errors, stop_on_signals

LOGGER = logging.getLogger("tap-canned")


def ended(error: Exception, caplog: pytest.LogCaptureFixture) -> tuple[object, list[str]]:
    """Return the exit code and the log lines of a run that ends with this error."""
    with pytest.raises(SystemExit) as caught, one_line_errors(LOGGER):
        raise error
    shown = [record for record in caplog.records if record.levelno > logging.DEBUG]
    assert all(record.exc_info is None for record in shown)
    return caught.value.code, caplog.messages


@pytest.mark.parametrize(
    ("error", "lines"),
    [
        (setting_error("api_token", "is invalid"), ["api_token is invalid"]),
        (ConfigValidationError("a; b", errors=["a", "b"]), ["a", "b", "2 problems: a; b"]),
        (ConfigValidationError("alone"), ["alone"]),
        (SyncFailed("no more"), ["no more"]),
        (Retriable("again"), ["again"]),
        (PartitionUnavailable("gone"), ["gone"]),
        (KitError("%s is not a format"), ["%s is not a format"]),
    ],
)
def test_error_that_the_user_can_fix_is_one_line_and_exit_code_1(
    error: Exception, lines: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert ended(error, caplog) == (1, lines)


HINT = "log level DEBUG shows the traceback"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (KeyError("x"), f"The tap stopped: unexpected error (KeyError: 'x'); {HINT}"),
        (ValueError("a\nb"), f"The tap stopped: unexpected error (ValueError: a b); {HINT}"),
        (RuntimeError("x"), f"The tap stopped: unexpected error (RuntimeError: x); {HINT}"),
        (PermissionError(13, "x"), "The tap stopped: PermissionError: [Errno 13] x"),
        (OSError(errno.EIO, "x"), "The tap stopped: OSError: [Errno 5] x"),
    ],
)
def test_bug_is_one_line_and_its_traceback_at_level_debug(
    error: Exception, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with exchanging(Exchange("", 1)):  # no request before it
        code, lines = ended(error, caplog)
    assert (code, lines) == (1, ["The tap stopped", line])
    assert [record.levelname for record in caplog.records if record.exc_info] == ["DEBUG"]


def test_successful_run_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with one_line_errors(LOGGER):
        pass
    assert caplog.messages == []


def test_previous_signal_handlers_are_restored() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with stop_on_signals(threading.Event()):
        assert signal.getsignal(signal.SIGTERM) is not before[1]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_signals_are_unchanged_outside_the_main_thread() -> None:
    seen = []

    def work() -> None:
        exit_on_signals(LOGGER)
        with stop_on_signals(threading.Event()):
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(5)
    assert seen == [signal.getsignal(signal.SIGTERM)]


@pytest.mark.parametrize("ending", [click.exceptions.Exit(0), click.UsageError("no such option")])
def test_exits_of_click_are_its_own(ending: Exception, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(type(ending)), one_line_errors(logging.getLogger()):
        raise ending
    assert caplog.messages == []
