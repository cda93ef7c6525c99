"""Run a real tap in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.forks import Forked
from tests.processes import Ended, clean_environment
from tests.singer import Output

SETTINGS = {
    "api_token": "t0ken-of-nobody",
    "start_date": "2024-01-01",
    "end_date": "2024-01-05",
}
TAP = Path(sys.executable).with_name("tap-kindmetrics")


def arguments(config: dict[str, Any], folder: Path, *more: str) -> list[str]:
    """Return the command line of a run with these settings."""
    file = folder / "config.json"
    file.write_text(json.dumps({**SETTINGS, **config}), encoding="utf-8")
    return [str(TAP), "--config", str(file), *more]


def start(
    config: dict[str, Any], folder: Path, *more: str, stdout: int = subprocess.PIPE
) -> Forked:
    """Start a run; no variable of the developer's environment is a setting of it."""
    return Forked(arguments(config, folder, *more), clean_environment(), stdout=stdout)


def tap(config: dict[str, Any], folder: Path, *more: str, stdout: int = subprocess.PIPE) -> Ended:
    """Run the tap to its end."""
    with start(config, folder, *more, stdout=stdout) as process:
        out, err = process.communicate()
        return Ended(process.wait(), Output(out.decode()), err.decode())
