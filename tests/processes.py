"""Commands in processes of their own, with their output and exit code."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.forks import Forked, can_fork
from tests.singer import Output

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

TIMEOUT_S = 60


@dataclass(frozen=True)
class Ended:
    """The result of a run: exit code, stdout and stderr."""

    code: int
    output: Output
    stderr: str

    @property
    def errors(self) -> list[str]:
        """The texts of the log lines at level ERROR."""
        return self._at("ERROR")

    @property
    def warnings(self) -> list[str]:
        """The texts of the log lines at level WARNING."""
        return self._at("WARNING")

    def _at(self, level: str) -> list[str]:
        parts = (line.split(" | ", 3) for line in self.stderr.splitlines())
        return [part[3] for part in parts if len(part) == 4 and part[1].strip() == level]

    def assert_one_error_line(self, *words: str) -> None:
        """Check for exit code 1 and one ERROR line with these words, without a traceback."""
        tail = self.stderr[-2000:]
        assert self.code == 1, tail
        assert "Traceback" not in self.stderr, tail
        assert len(self.errors) == 1, self.errors
        for word in words:
            assert word in self.errors[0]


@contextlib.contextmanager
def collected() -> Iterator[io.BytesIO]:
    """Capture standard output as bytes, through the same text layer as in a process."""
    raw = io.BytesIO()
    text = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
    try:
        with contextlib.redirect_stdout(text):
            yield raw
    finally:
        text.detach()


def execute(
    *command: str,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    timeout: float = TIMEOUT_S,
) -> Ended:
    """Run a command to its end; fork the taps' executables and Meltano, and start the others."""
    if not can_fork(command, environment):
        return execute_anew(*command, environment=environment, folder=folder, timeout=timeout)
    with Forked(command, clean_environment(environment), folder=folder) as process:
        out, err = process.communicate(timeout)
        return Ended(process.wait(), Output(out.decode()), err.decode())


def execute_anew(
    *command: str,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    timeout: float = TIMEOUT_S,
) -> Ended:
    """Run a command to its end in a new process."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=clean_environment(environment),
        capture_output=True,
        check=False,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
    )
    return Ended(done.returncode, Output(done.stdout.decode()), done.stderr.decode())


def close_stdout(process: Forked) -> tuple[float, str]:
    """Close the stdout of a process; return the seconds until it ended, and its stderr."""
    began = time.monotonic()
    process.stdout.close()
    process.wait(30)
    return time.monotonic() - began, process.stderr.read().decode()


def clean_environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment without settings of plugins, Meltano and logs."""
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TAP_", "TARGET_", "SINGER_", "MELTANO_", "LOGLEVEL"))
    }
    return {**own, **(changes or {})}
