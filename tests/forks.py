"""Executables of the taps and Meltano as forked processes: not started, without their imports."""

from __future__ import annotations

import array
import atexit
import contextlib
import functools
import io
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from tests.fork_server import LENGTH_BYTES, executables, imported_with

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typing_extensions import Self

_SENDING = threading.Lock()


def can_fork(command: Sequence[str], environment: Mapping[str, str] | None) -> bool:
    """Return whether this executable can be forked, and its variables are read after the start.

    Python reads its own variables and ``LC_*`` when a process starts. An empty one has no effect.
    """
    path = Path(command[0])
    read_at_start = (
        value and name.startswith(("PYTHON", "LC_", "LANG"))
        for name, value in (environment or {}).items()
    )
    return (
        path.parent == Path(sys.executable).parent
        and path.name in executables()
        and not any(read_at_start)
    )


@functools.cache
def _server(pid: int, first: str) -> socket.socket:
    """Return the connection to a server of the process ``pid``; both end together.

    ``first`` is one of the executables that it imports, which name the server.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.fork_server", str(theirs.fileno()), first],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            cwd=Path(__file__).parents[1],
        )

    def end() -> None:
        if os.getpid() == pid:
            ours.close()
            server.wait()

    atexit.register(end)
    return ours


def _send(executable: str, request: bytes, descriptors: list[int]) -> None:
    control = _server(os.getpid(), min(imported_with(executable)))
    with _SENDING:
        head = len(request).to_bytes(LENGTH_BYTES, "big")
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))
        control.sendmsg([head], [rights])
        control.sendall(request)


class Forked:
    """A running executable, with what the tests use of ``subprocess.Popen``."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
        folder: Path | None = None,
    ) -> None:
        self.returncode: Any = None  # as Popen's: a number when the process has ended
        self._command = list(command)
        request = {
            "command": self._command,
            "environment": dict(environment),
            "folder": str(folder or Path.cwd()),
        }
        with contextlib.ExitStack() as stack:
            stdin = stack.enter_context(Path(os.devnull).open("rb"))
            self.stdout, its_stdout = _output(stdout, stack)
            self.stderr, its_stderr = _output(stderr, stack)
            self._status, its_status = _output(subprocess.PIPE, stack)
            _send(
                Path(self._command[0]).name,
                json.dumps(request).encode(),
                [stdin.fileno(), its_stdout, its_stderr, its_status],
            )
        self.pid = int(self._status.readline())

    def send_signal(self, number: int) -> None:
        """Send a signal to the process, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def poll(self) -> int | None:
        """Return the exit code of the process; None while it runs."""
        return self.wait() if self.returncode is not None or self._has_ended(0) else None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end of the process; return its exit code."""
        if self.returncode is None:
            if not self._has_ended(timeout):
                raise subprocess.TimeoutExpired(self._command, timeout or 0)
            self.returncode = int(self._status.readline())
        return int(self.returncode)

    def communicate(self, timeout: float = 60) -> tuple[bytes, bytes]:
        """Read both outputs to their ends and wait for the process."""
        with ThreadPoolExecutor(2) as readers:
            texts = [readers.submit(pipe.read) for pipe in (self.stdout, self.stderr)]
            try:
                self.wait(timeout)
            except subprocess.TimeoutExpired:
                self.send_signal(signal.SIGKILL)
                raise
        out, err = (text.result() for text in texts)
        return out, err

    def _has_ended(self, timeout: float | None) -> bool:
        return bool(select.select([self._status], [], [], timeout)[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Close the pipes and wait for the process, which is killed if the test failed."""
        if kind is not None:
            self.send_signal(signal.SIGKILL)
        self.stdout.close()
        self.stderr.close()
        self.wait()
        self._status.close()


def _output(wanted: int, stack: contextlib.ExitStack) -> tuple[IO[bytes], int]:
    """Return what the tests read, and the descriptor that the process writes to."""
    if wanted == subprocess.DEVNULL:
        return io.BytesIO(), stack.enter_context(Path(os.devnull).open("wb")).fileno()
    if wanted != subprocess.PIPE:
        return io.BytesIO(), wanted
    ours, theirs = os.pipe()
    stack.callback(os.close, theirs)
    return os.fdopen(ours, "rb"), theirs
