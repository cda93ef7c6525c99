"""``dbt build`` as a user runs it, and its result."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo.vendors import DEMOS
from tests.end_to_end.transform.further import VARIABLES
from tools.workspace import ROOT, TAPS, package_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ENVIRONMENT = ROOT / "transform" / ".venv"
# The models of taps that the demo does not load.
NOT_LOADED = [
    package_of(tap).removeprefix("tap_")
    for tap in TAPS
    if tap.name not in {demo.tap.name for demo in DEMOS}
]
READY = "transform/.venv/.ready"
SWITCHED_OFF = "WITHOUT_DBT"
# Variables of the developer's shell that the tests remove.
FOREIGN = ("DBT_", "TARGET_POSTGRES_", "ANALYTICS_", "PYTHONPATH", "MAKEFLAGS", "MAKELEVEL")


def install() -> str:
    """Make dbt's environment if it is missing; return the error if it cannot be made."""
    make = shutil.which("make")
    if make is None:
        return "make is missing"
    done = run([make, "--no-print-directory", READY], {})
    return done.stderr.strip() if done.returncode else ""


def run(command: list[str], settings: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command at the root of the repository, with these settings only."""
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
    """One ``dbt build``: its exit code, output and artifacts.

    ``contacted`` are the hosts that a proxy recorded.
    """

    code: int
    output: str
    folder: Path
    contacted: Sequence[str] = ()

    @cached_property
    def nodes(self) -> dict[str, list[str]]:
        """The nodes by status; a test is named by itself and its model."""
        nodes = self._read("manifest.json")["nodes"]
        found: dict[str, list[str]] = {}
        for result in self._read("run_results.json")["results"]:
            node = nodes[result["unique_id"]]
            if node["resource_type"] in {"model", "test"}:
                found.setdefault(result["status"], []).append(_name(node))
        return found

    def _read(self, artifact: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / artifact).read_text(encoding="utf-8"))
        return content


def _name(node: dict[str, Any]) -> str:
    if node["resource_type"] == "model":
        return str(node["name"])
    _, _, model = node["attached_node"].rpartition(".")
    return " ".join(filter(None, [node["test_metadata"]["name"], model, node["column_name"]]))


@dataclass(frozen=True)
class Dbt:
    """The project with a target; ``settings`` are environment variables, as in ``.env``."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    def build(self, *arguments: str, **settings: str) -> Build:
        """Run ``dbt build`` with artifacts in the tests' own folder.

        Without a log file, and with one thread instead of the profile's, it takes two thirds of the
        processor time.
        """
        places = {
            "DBT_PROJECT_DIR": str(ROOT / "transform"),
            "DBT_PROFILES_DIR": str(ROOT / "transform"),
            "DBT_TARGET_PATH": str(self.folder / "target"),
            "DBT_LOG_PATH": str(self.folder / "logs"),
            "DBT_LOG_LEVEL_FILE": "none",
        }
        command = [str(ENVIRONMENT / "bin" / "dbt"), "--no-use-colors", "build", "--threads=1"]
        command += ["--exclude", *NOT_LOADED] if NOT_LOADED else []
        command += ["--vars", json.dumps(VARIABLES), *arguments]
        done = run(command, {**places, **self.settings, **settings})
        # Copied, because the next build overwrites them: dbt parses faster in the same folder.
        made = Path(tempfile.mkdtemp(dir=self.folder))
        for artifact in ("manifest.json", "run_results.json"):
            shutil.copy(self.folder / "target" / artifact, made)
        return Build(done.returncode, done.stdout + done.stderr, made)
