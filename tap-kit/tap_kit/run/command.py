"""How a run ends at the command line: in words, with the right exit code, and in time."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import select
import signal
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

from singer_sdk.exceptions import ConfigValidationError, MappingError

from tap_kit.errors import Interrupted, KitError

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator
    from threading import Event
    from types import FrameType

PATIENCE_S = 4.0  # between a signal and the end, whatever hangs
LOOK_MS = 500  # how often the watcher of the output looks whether the run is over
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
NOBODY_READS = "The target stopped reading; see its own log for the reason"


def buffer_output() -> None:
    """See that what is written is written whole, also with ``PYTHONUNBUFFERED``.

    Without a buffer Python writes what a full pipe takes when a signal comes, and drops the rest:
    a line would be cut in the middle, and the state would follow it.
    """
    if isinstance(getattr(sys.stdout, "buffer", None), io.RawIOBase):
        sys.stdout = open(sys.stdout.fileno(), "w", encoding="utf-8", closefd=False)  # noqa: SIM115


@contextlib.contextmanager
def one_line_errors(logger: logging.Logger) -> Iterator[None]:
    """Turn every error that the user can cure into a line each, and exit code 1.

    What is left with a traceback is a fault of the tap's.
    """
    try:
        yield
    except ConfigValidationError as error:
        for problem in error.errors or [str(error)]:
            logger.error(problem)  # noqa: TRY400  (no traceback is the point)
        sys.exit(1)
    except Interrupted:
        _exit_by_signal(logger)
    except KitError as error:
        logger.error(error)  # noqa: TRY400
        sys.exit(1)
    except MappingError as error:
        logger.error("stream_maps: %s", " ".join(str(error).split()))  # noqa: TRY400
        sys.exit(1)
    except OSError as error:
        _exit_for_output(logger, error)


def _exit_for_output(logger: logging.Logger, error: OSError) -> NoReturn:
    """Nobody reads any more, or the disk is full: the only files that a tap writes are these."""
    if isinstance(error, BrokenPipeError):
        logger.error(NOBODY_READS)
    elif error.errno == errno.ENOSPC:
        logger.error("No space left on the device that the output is written to")
    else:
        raise error
    # What is still buffered cannot be written either; without this Python tries once more and
    # prints a traceback when it ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(1)


def exit_on_signals(logger: logging.Logger) -> None:
    """From now on SIGINT and SIGTERM end the process at once: there is nothing to write down yet.

    The SDK's own handler, which it sets when a tap is made, writes an empty state, into what
    should be a catalog, and ends with exit code 0, as if all were done.
    """

    def handle(number: int, _frame: FrameType | None) -> NoReturn:
        logger.warning("Stopped by %s", signal.Signals(number).name)
        # An exception is lost where a signal comes in a finalizer or a weak reference's callback.
        os._exit(128 + number)

    if threading.current_thread() is threading.main_thread():
        for number in _SIGNALS:
            signal.signal(number, handle)


@contextlib.contextmanager
def exit_when_output_closes(logger: logging.Logger) -> Iterator[None]:
    """While inside, end the process at once when nobody is left who reads its output.

    For what takes its time before it writes anything: a discovery whose runner was killed would
    else go on for minutes, and use up the vendor's budget.
    """

    def end() -> None:
        logger.error(NOBODY_READS)
        os._exit(1)

    with _watching_output(end):
        yield


_received: list[int] = []


@contextlib.contextmanager
def stop_on_signals(stop: Event) -> Iterator[None]:
    """While inside, SIGINT and SIGTERM set ``stop``, so that the run ends between two rows.

    The SDK's own handler leaves in the middle of whatever happens, and with exit code 0. A second
    SIGINT, or ``PATIENCE_S`` without an end, ends the process at once. A SIGTERM after another
    signal does not, nor when the block is over: Meltano sends it to a tap that has got the
    terminal's Ctrl-C already, and the jobs that it calls off would go on. The run ends as well
    when nobody is left who reads the output: a tap whose runner was killed would else learn of it
    with its next row, and wait for its vendor till then.
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
        timer = threading.Timer(PATIENCE_S, os._exit, (128 + number,))
        timer.daemon = True
        timer.start()
        stop.set()  # last: where this thread was just about to wait for it, it never returns

    for number in before:
        signal.signal(number, handle)
    try:
        with _watching_output(lambda: None if stop.is_set() else handle(signal.SIGPIPE, None)):
            yield
    finally:
        if not seen:
            for number, handler in before.items():
                signal.signal(number, handler)


@contextlib.contextmanager
def _watching_output(is_lost: Callable[[], None]) -> Iterator[None]:
    """While inside, call ``is_lost``, once, when the other end of standard output is closed."""
    try:
        output = sys.stdout.fileno()
    except OSError:  # output that is collected in memory has no other end
        yield
        return
    poll = select.poll()
    poll.register(output, 0)  # no event is asked for: errors and hang-ups come anyway (poll(2))
    over = threading.Event()
    telling = threading.Lock()  # or whoever is inside would tell the same once more meanwhile

    def watch() -> None:
        while not over.is_set():
            if poll.poll(LOOK_MS):
                with telling:
                    if not over.is_set():
                        is_lost()
                return

    threading.Thread(target=watch, name="output", daemon=True).start()
    try:
        yield
    finally:
        with telling:
            over.set()


def _exit_by_signal(logger: logging.Logger) -> NoReturn:
    number = _received[-1] if _received else signal.SIGINT
    if number == signal.SIGPIPE:
        logger.error(NOBODY_READS)
        sys.exit(1)
    name = signal.Signals(number).name
    logger.warning("Stopped by %s; the bookmarks are written, the next run goes on there", name)
    sys.exit(128 + number)
