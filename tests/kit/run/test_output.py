"""The standard streams in this process, and the end of a run without resources."""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import tap_kit.run.command
from tap_kit.jobs.running import RunningJob, RunningJobs
from tap_kit.run.command import (
    exit_when_output_closes,
    one_line_errors,
    refuse_closed_output,
    stop_on_signals,
)
from tap_kit.run.output import buffer_output, open_closed_streams

if TYPE_CHECKING:
    from collections.abc import Iterator

LOGGER = logging.getLogger("tap-canned")


@contextlib.contextmanager
def output_to(path: str | Path) -> Iterator[io.TextIOWrapper]:
    """Make a file the standard output of this process while inside, as at its start."""
    before = sys.stdout, sys.__stdout__
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123
        sys.stdout = sys.__stdout__ = file  # type: ignore[misc]
        try:
            buffer_output()
            assert sys.stdout is not file
            yield file
        finally:
            sys.stdout, sys.__stdout__ = before  # type: ignore[misc]


def ended_with(error: BaseException, caplog: pytest.LogCaptureFixture) -> str:
    """Return the only line of a command that ends with an error."""
    with pytest.raises(SystemExit) as caught, one_line_errors(LOGGER):
        raise error
    assert caught.value.code == 1
    (record,) = caplog.records
    assert (record.levelname, record.exc_info) == ("ERROR", None)
    return record.getMessage()


def is_null_device(file: io.TextIOWrapper) -> bool:
    """Return whether the file was replaced by the null device."""
    return os.fstat(file.fileno()).st_rdev == Path(os.devnull).stat().st_rdev


def test_full_output_is_one_line_and_is_not_written_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with output_to("/dev/full") as file:
        with pytest.raises(SystemExit) as caught, one_line_errors(LOGGER):
            sys.stdout.write("x" * 100_000)
        assert is_null_device(file), "Python's own flush at exit must not fail"
    assert caught.value.code == 1
    assert caplog.messages == ["No space left on the device that the output is written to"]


def test_full_output_is_noticed_when_the_command_exits(caplog: pytest.LogCaptureFixture) -> None:
    with output_to("/dev/full"), pytest.raises(SystemExit) as caught, one_line_errors(LOGGER):
        sys.exit(sys.stdout.write("x"))
    assert caught.value.code == 1
    assert caplog.messages == ["No space left on the device that the output is written to"]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (BrokenPipeError(), "The target stopped reading; see its own log for the reason"),
        (OSError(errno.EIO, "I/O"), "The output cannot be written: [Errno 5] I/O"),
    ],
)
def test_error_of_the_output_is_one_line(
    error: OSError,
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(tap_kit.run.output, "_errors", [error])
    with output_to(tmp_path / "out"):
        assert ended_with(error, caplog) == line


FILES = "lower max_concurrency, or raise the limit with `ulimit -n`"
SPACE = "free some space, or set TMPDIR to another folder"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(errno.ENOSPC, "No space", "/t/x"), f"No space: /t/x; {SPACE}"),
        (OSError(errno.EMFILE, "Too many open files"), f"Too many open files; {FILES}"),
        (MemoryError(), "Not enough memory; lower max_concurrency, or give the tap more"),
        (
            RuntimeError("can't start new thread"),
            (
                "No more threads can be started; lower max_concurrency, "
                "or raise the limit with `ulimit -u`"
            ),
        ),
    ],
)
def test_lack_of_a_resource_is_one_line_that_does_not_blame_the_output(
    error: Exception, line: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with output_to(tmp_path / "out") as file:
        assert ended_with(error, caplog) == line
        assert not is_null_device(file)


def test_unbuffered_output_gets_a_buffer(tmp_path: Path) -> None:
    """Without one, as with ``PYTHONUNBUFFERED``, a signal would cut a line in the middle."""
    with output_to(tmp_path / "out") as file:
        sys.stdout.write("中\n" * 10)
        assert (tmp_path / "out").read_bytes() == b"", "buffered until a flush"
        sys.stdout.flush()
        assert (tmp_path / "out").read_text("utf-8") == "中\n" * 10
        assert sys.stdout.fileno() == file.fileno()


@pytest.mark.parametrize("out", [io.StringIO(), io.TextIOWrapper(io.BytesIO())], ids=["", "buffer"])
def test_replaced_output_is_unchanged(out: io.TextIOBase) -> None:
    with contextlib.redirect_stdout(out):
        buffer_output()
        assert sys.stdout is out


def test_closed_output_is_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(SystemExit) as caught:
        refuse_closed_output(LOGGER)
    assert caught.value.code == 1
    assert caplog.messages == ["Standard output is closed, so no rows can be written"]


def test_closed_streams_become_the_null_device(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    handler = logging.StreamHandler(io.StringIO())
    with monkeypatch.context() as patch:
        patch.setattr(tap_kit.run.output, "_is_open", lambda _number: False)
        patch.setattr(os, "open", lambda path, _flags: opened.append(path))
        patch.setattr(sys, "stderr", None)
        patch.setattr(logging.getLogger(), "handlers", [handler, logging.NullHandler()])
        open_closed_streams()
        with contextlib.closing(sys.stderr) as made:
            assert handler.stream is made
    assert opened == [os.devnull] * 3


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no thread start."""

    def start(_thread: threading.Thread) -> None:
        message = "can't start new thread"
        raise RuntimeError(message)

    monkeypatch.setattr(threading.Thread, "start", start)


@pytest.mark.usefixtures("no_threads")
def test_output_is_not_watched_without_threads(tmp_path: Path) -> None:
    with output_to(tmp_path / "out"), exit_when_output_closes(LOGGER):
        pass


@pytest.mark.usefixtures("no_threads")
def test_stopped_run_ends_in_time_without_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    monkeypatch.setattr(tap_kit.run.command, "EXIT_TIMEOUT_S", 0.01)
    monkeypatch.setattr(tap_kit.run.command, "_received", [])
    before = {number: signal.getsignal(number) for number in (signal.SIGALRM, signal.SIGTERM)}
    stop = threading.Event()
    try:
        with stop_on_signals(stop):
            signal.raise_signal(signal.SIGTERM)
            while not codes:
                stop.wait(0.01)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert codes == [128 + signal.SIGTERM]


class _CancellableJob:
    def start(self) -> dict[str, str]:
        return {}

    def poll(self, ids: object) -> None: ...

    def cancel(self, ids: object, timeout_s: float) -> bool:
        del ids
        return timeout_s > 0


@pytest.mark.usefixtures("no_threads")
def test_jobs_are_cancelled_without_threads(caplog: pytest.LogCaptureFixture) -> None:
    jobs, forgotten = RunningJobs(), []
    for number in range(3):
        ids = {"id": str(number)}
        jobs.add(RunningJob(_CancellableJob(), ids, lambda n=number: forgotten.append(n)))  # type: ignore[arg-type,misc]
    jobs.cancel_all(1.0)
    assert sorted(forgotten) == [0, 1, 2]
    assert caplog.messages == ["Cancelled 3 of 3 running jobs; the next run resumes the others"]
