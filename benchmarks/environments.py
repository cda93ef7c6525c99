"""Separate environments for each peer and for the chart, which uv creates on demand."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PEERS = HERE / "peers"
CHART = "chart"
ENVIRONMENTS = HERE / ".envs"
OURS = "kit"  # runs in the environment of this project


def script(name: str, file: str) -> str:
    """Return the path of a file of a contestant, or of the chart."""
    return str((HERE if name == CHART else PEERS) / name / file)


def executable(name: str, program: str = "python") -> str:
    """Return the path of a program; create or update its environment if necessary."""
    if name == OURS:
        return str(Path(sys.executable).with_name(program))
    _make(name)
    return str(ENVIRONMENTS / name / "bin" / program)


def _make(name: str) -> None:
    requirements = Path(script(name, "requirements.txt"))
    stamp = ENVIRONMENTS / name / ".made-of"
    made_of = f"{platform.python_version()} {_digest(requirements)}"
    if stamp.exists() and stamp.read_text() == made_of:
        return
    print(f"creating the environment of {name}", file=sys.stderr)
    python = ENVIRONMENTS / name / "bin" / "python"
    _uv("venv", "--clear", "--python", sys.executable, str(ENVIRONMENTS / name))
    # Each file pins all packages, so that a new release cannot change the results.
    _uv(
        "pip",
        "install",
        "--no-deps",
        "--require-hashes",
        "--compile-bytecode",
        "--python",
        str(python),
        "-r",
        str(requirements),
    )
    stamp.write_text(made_of)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _uv(*arguments: str) -> None:
    uv = os.environ.get("UV") or shutil.which("uv") or str(HERE.parent / ".tools" / "bin" / "uv")
    subprocess.run([uv, *arguments, "--quiet"], check=True)


def version(name: str, package: str) -> str:
    """Return the version of a package in a contestant's environment."""
    code = f"from importlib.metadata import version; print(version({package!r}))"
    done = subprocess.run([executable(name), "-c", code], check=True, stdout=subprocess.PIPE)
    return done.stdout.decode().strip()
