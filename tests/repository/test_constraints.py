"""Meltano's environments get the versions of uv.lock, which Meltano itself does not read."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tools.workspace import ROOT

if TYPE_CHECKING:
    from pathlib import Path

MAKE = shutil.which("make")


@pytest.mark.skipif(MAKE is None, reason="make is not there to say how constraints.txt is made")
def test_constraints_are_those_of_the_lock(tmp_path: Path) -> None:
    """What ``make constraints`` would write is what is there."""
    command = subprocess.run(
        [str(MAKE), "-n", "--no-print-directory", "constraints"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={k: v for k, v in os.environ.items() if k not in {"MAKEFLAGS", "MAKELEVEL"}},
    ).stdout
    export = command[command.rindex("\n", 0, command.index(" export ")) :]
    made = tmp_path / "constraints.txt"
    assert "-o constraints.txt" in export
    script = export.replace("-o constraints.txt", f"-o {made}")
    done = subprocess.run(
        ["/bin/sh", "-ec", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if "not found" in done.stderr:
        pytest.skip(f"uv cannot be run here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    assert made.read_text() == (ROOT / "constraints.txt").read_text()
