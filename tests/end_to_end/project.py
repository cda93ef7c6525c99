"""A copy of the project for Meltano to run in."""

from __future__ import annotations

import json
import re
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.processes import execute

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
MELTANO = Path(sys.executable).with_name("meltano")
TOKEN = "meltano-s3cret-51d0e8"  # noqa: S105 (long enough to be found wherever it leaks)
TIMEOUT_S = 240
FILES = (
    *("meltano.yml", "constraints.txt", "pyproject.toml", "uv.lock"),
    *("demo", "orchestration", "sandbox", "tap-*"),
)
MADE = shutil.ignore_patterns("__pycache__", "*.egg-info", ".venv", ".envs", ".airflow")
Rows = dict[str, tuple[int, int | None, int]]  # stream -> lines of the run, expected, arrived


@dataclass(frozen=True)
class Done:
    """The result of a command."""

    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Project:
    """A folder with the files of a clone; ``environment`` is added to that of every command."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def copied_to(cls, folder: Path, environment: Mapping[str, str]) -> Project:
        """Copy the files that Meltano needs."""
        for pattern in FILES:
            for path in ROOT.glob(pattern):
                if path.is_dir():
                    shutil.copytree(path, folder / path.name, ignore=MADE)
                else:
                    shutil.copy(path, folder / path.name)
        return cls(folder, environment)

    @property
    def logs(self) -> Path:
        """The folder of Meltano's logs, which by default is in the user's home."""
        return self.folder / "state" / "meltano" / "log"

    @property
    def variables(self) -> dict[str, str]:
        """The environment of a command in addition to the user's."""
        return {"XDG_STATE_HOME": str(self.logs.parents[1]), **self.environment}

    def meltano(self, *arguments: str, **settings: str) -> Done:
        """Run ``meltano`` with these arguments; settings are environment variables.

        PYTHONPATH is empty, so that the installed plugins do not import the sources.
        """
        command = [str(MELTANO), "--environment=demo", *arguments]
        return self.run(command, {"PYTHONPATH": "", **settings})

    def demo(self, **settings: str) -> Done:
        """Run what ``make demo`` runs, without its prerequisites."""
        return self.run([sys.executable, "-m", "demo"], settings)

    def run(self, command: list[str], settings: Mapping[str, str]) -> Done:
        """Run a command in the project's folder to its end; fork Meltano, and start the others."""
        environment = {**self.variables, **settings}
        ended = execute(*command, environment=environment, folder=self.folder, timeout=TIMEOUT_S)
        return Done(ended.code, ended.output.text, ended.stderr)


def variables(plugin: str, settings: Mapping[str, Any]) -> dict[str, str]:
    """Return settings of a plugin as the environment variables that Meltano reads."""
    prefix = plugin.upper().replace("-", "_")
    return {
        f"{prefix}_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in settings.items()
    }


def lines(folder: Path, stream: str) -> list[dict[str, Any]]:
    """Return the lines that target-jsonl wrote for a stream; none if there is no file."""
    path = folder / f"{stream}.jsonl"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines()]


def rows_of_demo(folder: Path) -> Rows:
    """Return the table of all streams that the demo in this folder wrote."""
    text = (folder / "output" / "demo" / "rows.txt").read_text(encoding="utf-8")
    row = re.compile(r"^  ([a-z_]+) +([\d,]+) +([\d,]+|new each run) +([\d,]+)", re.MULTILINE)
    return {
        stream: (_number(new), None if "new" in expected else _number(expected), _number(arrived))
        for stream, new, expected, arrived in row.findall(text)
    }


def _number(text: str) -> int:
    return int(text.replace(",", ""))
