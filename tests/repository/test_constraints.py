"""constraints.txt, for Meltano's environments, has the versions of uv.lock."""

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


@pytest.mark.skipif(MAKE is None, reason="make is missing")
def test_constraints_are_those_of_uv_lock(tmp_path: Path) -> None:
    """``make constraints`` would not change the file."""
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
