"""Measure a command: wall time, CPU time, memory, and the number of lines it writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FILE, PIPE, NOWHERE = "file", "pipe", "nowhere"

# This runs in a small separate process, since the peak size of a child starts with the size of its
# parent. With a reader, the command writes into a pipe, as under Meltano, and the reader counts the
# lines.
LAUNCHER = """
import json, os, subprocess, sys, time
place, errors, *command = sys.argv[1:]
COUNT = (
    "import sys\\nlines, read = 0, sys.stdin.buffer.raw.read\\n"
    "while piece := read(1 << 20):\\n    lines += piece.count(10)\\nprint(lines)"
)
reader = None
if place == "-":
    reader = subprocess.Popen(
        [sys.executable, "-S", "-c", COUNT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
out = reader.stdin if reader else open(place, "wb")
began = time.perf_counter()
process = subprocess.Popen(
    command, stdin=subprocess.DEVNULL, stdout=out, stderr=open(errors, "wb")
)
out.close()
_, status, usage = os.wait4(process.pid, 0)
lines = int(reader.stdout.read()) if reader else None
print(json.dumps({
    "seconds": time.perf_counter() - began,
    "cpu_s": usage.ru_utime + usage.ru_stime,
    "peak_mib": usage.ru_maxrss / 1024,
    "lines": lines,
    "status": os.waitstatus_to_exitcode(status),
}))
"""


# Variables that change how Python runs: without compiled modules every start takes twice as long,
# and with unbuffered output each line is a system call.
PYTHON_VARIABLES = (
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONUNBUFFERED",
    "PYTHONOPTIMIZE",
    "PYTHONDEVMODE",
)
SETTINGS = ("TAP_", "TARGET_", "MELTANO_", "SINGER_")


def plain_environment() -> dict[str, str]:
    """Return the environment without variables that change the measurement."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in PYTHON_VARIABLES and not name.startswith(SETTINGS)
    }


class Measured(NamedTuple):
    """The figures of one run of a command, from its start to its end."""

    seconds: float
    cpu_s: float  # of all threads, and of the child processes that it waited for
    peak_mib: float  # largest resident size of one process
    lines: int | None  # lines from the pipe; None without a pipe


def measured(command: Sequence[str], folder: Path, *, place: str = NOWHERE) -> Measured:
    """Run ``command`` in ``folder`` with its output to ``place``: a file, a pipe or nowhere.

    The file is ``out``. The file ``errors`` has the command's stderr.

    Raises:
        RuntimeError: the command fails; the message has the end of its stderr.
    """
    out = {FILE: str(folder / "out"), PIPE: "-", NOWHERE: os.devnull}[place]
    output = subprocess.run(
        [sys.executable, "-S", "-c", LAUNCHER, out, str(folder / "errors"), *command],
        check=True,
        stdout=subprocess.PIPE,
        cwd=folder,
        env=plain_environment(),
    ).stdout
    figures = json.loads(output)
    if figures.pop("status"):
        errors = (folder / "errors").read_text("utf-8", errors="replace")
        msg = f"{' '.join(command[:3])} failed: {errors[-2000:]}"
        raise RuntimeError(msg)
    return Measured(**figures)


def record_lines(path: Path) -> int:
    """Count the RECORD messages in a file; those of Singer and Airbyte begin alike."""
    with path.open("rb") as file:
        return sum(line.startswith((b'{"type":"RECORD"', b'{"type": "RECORD"')) for line in file)
