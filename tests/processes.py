"""Commands as a user runs them: in a process, with what they said and how they ended."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.singer import Output

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True)
class Ended:
    """How a run of the executable ended."""

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

    def assert_told_in_one_line(self, *words: str) -> None:
        """Exit code 1 and one ERROR line with these words; no traceback."""
        told = self.stderr[-2000:]
        assert self.code == 1, told
        assert "Traceback" not in self.stderr, told
        assert len(self.errors) == 1, self.errors
        for word in words:
            assert word in self.errors[0]


@contextlib.contextmanager
def collected() -> Iterator[io.BytesIO]:
    """Standard output as bytes, through the same text layer that a process has."""
    raw = io.BytesIO()
    text = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
    try:
        with contextlib.redirect_stdout(text):
            yield raw
    finally:
        text.detach()


def execute(*command: str, environment: Mapping[str, str] | None = None, **kwargs: Any) -> Ended:
    """A command, to its end."""
    done = subprocess.run(
        command,
        env=clean_environment(environment),
        capture_output=True,
        check=False,
        timeout=60,
        **kwargs,
    )
    return Ended(done.returncode, Output(done.stdout.decode()), done.stderr.decode())


def left_by_reader(process: subprocess.Popen[str]) -> tuple[float, str]:
    """Stop reading its output; the seconds until it has ended, and what it said meanwhile."""
    assert process.stdout is not None
    assert process.stderr is not None
    began = time.monotonic()
    process.stdout.close()
    process.wait(30)
    return time.monotonic() - began, process.stderr.read()


def clean_environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without a developer's settings of taps and logs."""
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TAP_", "SINGER_", "MELTANO_", "LOGLEVEL"))
    }
    return {**own, **(changes or {})}
