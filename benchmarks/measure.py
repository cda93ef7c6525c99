"""What a command takes: seconds, processor seconds, memory, and how many rows it gave."""

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

# In a small process of its own: a child's largest size begins with that of its parent. With a
# reader behind it the command writes into a pipe, as under Meltano; the reader counts the lines.
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


# What would change how Python runs: without its compiled modules every start takes twice as long,
# and unbuffered output makes each line a call of the system.
PYTHONS = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONOPTIMIZE", "PYTHONDEVMODE")
SETTINGS = ("TAP_", "TARGET_", "MELTANO_", "SINGER_")


def plain_environment() -> dict[str, str]:
    """The environment without what somebody set for other work than this."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in PYTHONS and not name.startswith(SETTINGS)
    }


class Measured(NamedTuple):
    """What one run of a command took, from its start to its end."""

    seconds: float
    cpu_s: float  # of all its threads and of the processes it waited for
    peak_mib: float  # largest resident size of one process
    lines: int | None  # that came out of a pipe; None where there was none


def measured(command: Sequence[str], folder: Path, *, place: str = NOWHERE) -> Measured:
    """Run ``command`` in ``folder``, its output into a ``place``: a file there, a pipe, nowhere.

    The file is ``out``; what it says on stderr is in ``errors``.

    Raises:
        RuntimeError: when it fails; with the end of what it said.
    """
    out = {FILE: str(folder / "out"), PIPE: "-", NOWHERE: os.devnull}[place]
    told = subprocess.run(
        [sys.executable, "-S", "-c", LAUNCHER, out, str(folder / "errors"), *command],
        check=True,
        stdout=subprocess.PIPE,
        cwd=folder,
        env=plain_environment(),
    ).stdout
    figures = json.loads(told)
    if figures.pop("status"):
        said = (folder / "errors").read_text("utf-8", errors="replace")
        msg = f"{' '.join(command[:3])} failed: {said[-2000:]}"
        raise RuntimeError(msg)
    return Measured(**figures)


def record_lines(path: Path) -> int:
    """The RECORD messages in a file, of whichever tool: Singer's and Airbyte's begin alike."""
    with path.open("rb") as file:
        return sum(line.startswith((b'{"type":"RECORD"', b'{"type": "RECORD"')) for line in file)
