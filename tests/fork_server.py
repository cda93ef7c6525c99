"""A process that has imported the taps, or Meltano, and forks one for each run of an executable.

A new process spends most of its time on imports. A forked one has them already; everything else is
as in a new one: descriptors, environment, folder, arguments, signals, and what an interpreter does
at its end, except that the modules are not taken down one by one.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import threading
import time
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from tap_kit.net import retries

SHORT_PAUSE_S = 0.01  # before the first retry; the kit's tests check the real pauses
LENGTH_BYTES = 8
MELTANO = "meltano"
STDIO = (0, 1, 2)


@functools.cache
def executables() -> dict[str, EntryPoint]:
    """Return the entry points of Meltano and of all installed taps by their names."""
    found = entry_points(group="console_scripts")
    return {one.name: one for one in found if one.name.startswith(("tap-", MELTANO))}


def imported_with(name: str) -> dict[str, EntryPoint]:
    """Return the executables that the server of an executable imports."""
    return {n: one for n, one in executables().items() if (n == MELTANO) == (name == MELTANO)}


def serve(control: socket.socket) -> dict[str, Any] | None:
    """Fork a process for each request; return the request in that process, None at the end."""
    woken, wake = socket.socketpair()
    wake.settimeout(0)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    statuses: dict[int, int] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if woken in ready:
                woken.recv(1024)
                report_ended(statuses)
            if control not in ready:
                continue
            request, descriptors = receive(control)
            if request is None:
                return None
            pid = os.fork()
            if not pid:
                break
            for descriptor in descriptors[:-1]:
                os.close(descriptor)
            statuses[pid] = descriptors[-1]
            os.write(statuses[pid], f"{pid}\n".encode())
    become_new(descriptors, [*statuses.values(), control.detach(), woken.detach(), wake.detach()])
    return request


def receive(control: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    """Return the next request with its descriptors; None if the tests ended."""
    item = array.array("i").itemsize
    head, ancillary, *_ = control.recvmsg(LENGTH_BYTES, socket.CMSG_SPACE(4 * item))
    if not head:
        return None, []
    descriptors = array.array("i")
    for _, _, data in ancillary:
        descriptors.frombytes(data[: len(data) - len(data) % item])
    with control.makefile("rb") as stream:
        return json.loads(stream.read(int.from_bytes(head, "big"))), list(descriptors)


def report_ended(statuses: dict[int, int]) -> None:
    """Write the exit codes of processes that ended."""
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            status = statuses.pop(ended[0])
            with contextlib.suppress(BrokenPipeError):  # the test did not wait for the end
                os.write(status, f"{os.waitstatus_to_exitcode(ended[1])}\n".encode())
            os.close(status)


def become_new(descriptors: list[int], inherited: list[int]) -> None:
    """Give a forked process the descriptors and signal handlers of a new one."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, descriptor in zip(STDIO, descriptors[:3], strict=True):
        os.dup2(descriptor, number)
    for descriptor in (*descriptors, *inherited):
        os.close(descriptor)


def run(request: dict[str, Any]) -> object:
    """Run the executable; return what the process exits with.

    Raises:
        BaseException: what the executable did not handle, but for ``SystemExit``.
    """
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    os.chdir(request["folder"])
    sys.argv = request["command"]
    sys.path[0] = str(Path(sys.argv[0]).parent)
    module = sys.modules["__main__"]  # by which the help names the command
    module.__file__, module.__package__, module.__spec__ = sys.argv[0], None, None
    try:
        return executables()[Path(sys.argv[0]).name].load()()
    except SystemExit as ended:
        return ended.code


def end(code: object) -> None:
    """End the process, unless the interpreter has something to report at its end.

    It would also take down all modules, for 50 ms.
    """
    if code is not None and not isinstance(code, int):
        return
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 (as the interpreter does)
    atexit._run_exitfuncs()  # noqa: SLF001 (as the interpreter does)
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream and not stream.closed:
                stream.flush()
    except (OSError, ValueError):
        return
    os._exit((code or 0) & 0xFF)


def main() -> object:
    """Import the executables and serve; only the forked processes return something."""
    for executable in imported_with(sys.argv[2]).values():
        importlib.import_module(executable.module)  # its command sets up the log: not here
    retries.FIRST_PAUSE_S = SHORT_PAUSE_S
    gc.collect()
    gc.freeze()
    request = serve(socket.socket(fileno=int(sys.argv[1])))
    if request is None:
        return None
    code = run(request)
    end(code)
    return code


if __name__ == "__main__":
    sys.exit(main())  # type: ignore[arg-type]
