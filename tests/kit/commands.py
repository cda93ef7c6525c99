"""Run a real tap in its own process."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SETTINGS = {
    "api_token": "t0ken-of-nobody",
    "start_date": "2024-01-01",
    "end_date": "2024-01-05",
}
COMMAND = (
    sys.executable,
    "-c",
    "from tap_kindmetrics.tap import TapKindmetrics; TapKindmetrics.cli()",
)


@dataclass(frozen=True)
class Ended:
    """The exit code and the output of a run."""

    code: int
    stdout: str
    stderr: str


def arguments(config: dict[str, Any], folder: Path, *more: str) -> list[str]:
    """Return the command line of a run with these settings."""
    file = folder / "config.json"
    file.write_text(json.dumps({**SETTINGS, **config}), encoding="utf-8")
    return [*COMMAND, "--config", str(file), *more]


def start(
    config: dict[str, Any], folder: Path, *more: str, stdout: int = subprocess.PIPE
) -> subprocess.Popen[str]:
    """Start a run; no variable of the developer's environment is a setting of it."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TAP_")}
    return subprocess.Popen(
        arguments(config, folder, *more),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def tap(config: dict[str, Any], folder: Path, *more: str, stdout: int = subprocess.PIPE) -> Ended:
    """Run the tap to its end."""
    with start(config, folder, *more, stdout=stdout) as process:
        out, err = process.communicate(timeout=60)
    return Ended(process.returncode, out or "", err)
