"""``dbt build`` as a user runs it, and what came of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tests.repository.workspace import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ENVIRONMENT = ROOT / "transform" / ".venv"
READY = "transform/.venv/.ready"
SWITCHED_OFF = "WITHOUT_DBT"
# What must not come from the developer's own shell.
FOREIGN = ("DBT_", "TARGET_POSTGRES_", "ANALYTICS_", "PYTHONPATH", "MAKEFLAGS", "MAKELEVEL")


def install() -> str:
    """Make dbt's environment where it is missing; the reason, when it cannot be made."""
    make = shutil.which("make")
    if make is None:
        return "make is missing"
    done = run([make, "--no-print-directory", READY], {})
    return done.stderr.strip() if done.returncode else ""


def run(command: list[str], settings: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """A command at the root of the repository, with the settings that are given and no others."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**own, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


@dataclass(frozen=True)
class Build:
    """One ``dbt build``: how it ended, what it printed, and how each node fared."""

    code: int
    output: str
    folder: Path

    @cached_property
    def results(self) -> list[dict[str, Any]]:
        """The nodes of ``run_results.json``."""
        text = (self.folder / "run_results.json").read_text(encoding="utf-8")
        results: list[dict[str, Any]] = json.loads(text)["results"]
        return results

    def named(self, *statuses: str) -> set[str]:
        """The nodes that ended so, by their names."""
        return {
            result["unique_id"].split(".")[2]
            for result in self.results
            if result["status"] in statuses
        }


@dataclass(frozen=True)
class Dbt:
    """The project with a target; ``settings`` are environment variables, as in ``.env``."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    def build(self, *arguments: str, **settings: str) -> Build:
        """``dbt build`` with artifacts in the tests' own folder."""
        places = {
            "DBT_PROJECT_DIR": str(ROOT / "transform"),
            "DBT_PROFILES_DIR": str(ROOT / "transform"),
            "DBT_TARGET_PATH": str(self.folder / "target"),
            "DBT_LOG_PATH": str(self.folder / "logs"),
        }
        command = [str(ENVIRONMENT / "bin" / "dbt"), "--no-use-colors", "build", *arguments]
        done = run(command, {**places, **self.settings, **settings})
        return Build(done.returncode, done.stdout + done.stderr, self.folder / "target")
