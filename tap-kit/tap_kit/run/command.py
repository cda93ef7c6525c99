"""End a run at the command line: with a clear message, the right exit code, and in time."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

from singer_sdk.exceptions import ConfigValidationError, MappingError

from tap_kit.errors import Interrupted, KitError
from tap_kit.flow.guard import unexpected
from tap_kit.run.output import (
    discard_output,
    flushed_output,
    is_output_error,
    open_closed_streams,
)

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator, Sequence
    from threading import Event
    from types import FrameType

EXIT_TIMEOUT_S = 4.0  # between a signal and the end of the process, whatever hangs
WATCH_MS = 500  # how often the watcher of the output checks whether the run is over
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
TARGET_STOPPED = "The target stopped reading; see its own log for the reason"
_MORE_THREADS = "lower max_concurrency, or raise the limit with `ulimit -u`"
_MORE_FILES = "lower max_concurrency, or raise the limit with `ulimit -n`"
_MORE_SPACE = "free some space, or set TMPDIR to another folder"
_RESOURCE_HINTS = {
    errno.EMFILE: _MORE_FILES,
    errno.ENFILE: _MORE_FILES,
    errno.ENOMEM: "lower max_concurrency, or give the tap more memory",
    errno.ENOSPC: _MORE_SPACE,
    errno.EDQUOT: _MORE_SPACE,
}


@contextlib.contextmanager
def one_line_errors(logger: logging.Logger) -> Iterator[None]:
    """Log every error as one line, and exit with code 1.

    The traceback of an unexpected one, a bug of the tap, is logged at level DEBUG.
    """
    try:
        with flushed_output():
            yield
    except ConfigValidationError as error:
        _log_problems(logger, error.errors or [str(error)])
        sys.exit(1)
    except Interrupted:
        _exit_by_signal(logger)
    except KitError as error:
        logger.error(error)  # noqa: TRY400
        sys.exit(1)
    except MappingError as error:
        logger.error("stream_maps is not valid: %s", " ".join(str(error).split()))  # noqa: TRY400
        sys.exit(1)
    except Exception as error:
        if type(error).__module__.startswith("click."):  # its way to exit, and errors of usage
            raise
        _exit_on_unexpected_error(logger, error)


def _log_problems(logger: logging.Logger, problems: Sequence[str]) -> None:
    """Log each problem as an error, and then all together, each of which has been logged already.

    ``meltano config test`` shows only the last line.
    """
    for problem in problems:
        logger.error(problem)
    if len(problems) > 1:
        logger.warning("%d problems: %s", len(problems), "; ".join(problems))


def _exit_on_unexpected_error(logger: logging.Logger, error: Exception) -> NoReturn:
    """Exit with one line: the output cannot be written, a resource is used up, or it is a bug."""
    if is_output_error(error):
        discard_output()
        logger.error(_output_problem(error))
    elif isinstance(error, MemoryError):
        logger.error("Not enough memory; lower max_concurrency, or give the tap more")
    elif isinstance(error, OSError) and error.errno in _RESOURCE_HINTS:
        place = f": {error.filename}" if error.filename else ""
        logger.error("%s%s; %s", error.strerror, place, _RESOURCE_HINTS[error.errno])
    elif is_lack_of_threads(error):
        logger.error("No more threads can be started; %s", _MORE_THREADS)
    else:
        logger.debug("The tap stopped", exc_info=error)
        logger.error("The tap stopped: %s", unexpected(error))
    sys.exit(1)


def _output_problem(error: Exception) -> str:
    if isinstance(error, BrokenPipeError):
        return TARGET_STOPPED
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "No space left on the device that the output is written to"
    return f"The output cannot be written: {error}"


def is_lack_of_threads(error: BaseException) -> bool:
    """Return whether Python could not start a thread; it has no class of its own for this."""
    return isinstance(error, RuntimeError) and "can't start new thread" in str(error)


def refuse_closed_output(logger: logging.Logger) -> None:
    """Exit with one line if standard output is closed: no row could be written."""
    open_closed_streams()
    if sys.stdout is None:
        logger.error("Standard output is closed, so no rows can be written")
        sys.exit(1)


def exit_on_signals(logger: logging.Logger) -> None:
    """Make SIGINT and SIGTERM end the process immediately, while there is no state to write.

    The SDK's own handler, which each new tap sets, writes an empty state, even into the output of
    a discovery, and exits with code 0, as if the run were complete.
    """

    def handle(number: int, _frame: FrameType | None) -> NoReturn:
        logger.warning("Stopped by %s", signal.Signals(number).name)
        # An exception would be lost if the signal arrives in a finalizer or weakref callback.
        os._exit(128 + number)

    if threading.current_thread() is threading.main_thread():
        for number in _SIGNALS:
            signal.signal(number, handle)


@contextlib.contextmanager
def exit_when_output_closes(logger: logging.Logger) -> Iterator[None]:
    """End the process immediately if the reader of its output is gone, while inside.

    This is for steps that take long before they write anything: a discovery whose runner was
    killed would continue for minutes and use up the vendor's rate limit.
    """

    def end() -> None:
        logger.error(TARGET_STOPPED)
        os._exit(1)

    with _watch_output(end):
        yield


_received: list[int] = []


@contextlib.contextmanager
def stop_on_signals(stop: Event) -> Iterator[None]:
    """Make SIGINT and SIGTERM set ``stop`` while inside, so that the run ends between two rows.

    The SDK's own handler exits in the middle of a write, with code 0. A second SIGINT, or
    ``EXIT_TIMEOUT_S`` without an end, ends the process immediately. A SIGTERM after another signal
    does not, not even after the block: Meltano sends it to a tap that has already received the
    terminal's Ctrl-C, and the jobs that the tap is cancelling would keep running. The run also
    stops if the reader of the output is gone. Otherwise a tap whose runner was killed would notice
    at its next row only, and wait for its vendor until then.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    seen: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        seen.append(number)
        if seen.count(signal.SIGINT) > 1:
            os._exit(128 + number)
        if len(seen) > 1:
            return
        _received.append(number)
        _exit_later(128 + number)
        stop.set()  # last: if this thread was about to wait for `stop`, the call never returns

    for number in before:
        signal.signal(number, handle)
    try:
        with _watch_output(lambda: None if stop.is_set() else handle(signal.SIGPIPE, None)):
            yield
    finally:
        if not seen:
            for number, handler in before.items():
                signal.signal(number, handler)


def _exit_later(code: int) -> None:
    """End the process after ``EXIT_TIMEOUT_S``, whatever hangs."""
    timer = threading.Timer(EXIT_TIMEOUT_S, os._exit, (code,))
    timer.daemon = True
    try:
        timer.start()
    except RuntimeError:  # no more threads: the alarm needs none, but this thread must not hang
        signal.signal(signal.SIGALRM, lambda *_: os._exit(code))
        signal.setitimer(signal.ITIMER_REAL, EXIT_TIMEOUT_S)


@contextlib.contextmanager
def _watch_output(on_closed: Callable[[], None]) -> Iterator[None]:
    """Call ``on_closed``, once, if the other end of standard output is closed, while inside."""
    try:
        output = sys.stdout.fileno()
    except OSError:  # output in memory has no other end
        yield
        return
    poll = select.poll()
    poll.register(
        output, 0
    )  # no event needed: errors and hang-ups are always reported, see poll(2)
    is_over = threading.Event()
    lock = threading.Lock()  # so that the block does not report the same error meanwhile

    def watch() -> None:
        while not is_over.is_set():
            if poll.poll(WATCH_MS):
                with lock:
                    if not is_over.is_set():
                        on_closed()
                return

    with contextlib.suppress(RuntimeError):  # without a thread, the next write notices it
        threading.Thread(target=watch, name="output", daemon=True).start()
    try:
        yield
    finally:
        with lock:
            is_over.set()


def _exit_by_signal(logger: logging.Logger) -> NoReturn:
    number = _received[-1] if _received else signal.SIGINT
    if number == signal.SIGPIPE:
        logger.error(TARGET_STOPPED)
        sys.exit(1)
    name = signal.Signals(number).name
    logger.warning("Stopped by %s; bookmarks are written, and the next run resumes from them", name)
    sys.exit(128 + number)
