"""The workflows for GitHub are valid, call make targets only, and pin what they run."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.workspace import KIT, ROOT, TapFolder

ACTIONLINT = Path(sys.executable).with_name("actionlint")
FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS: dict[str, dict[str, Any]] = {
    path.stem: yaml.safe_load(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.yml"))
}
STEPS = [
    (name, job, step)
    for name, workflow in WORKFLOWS.items()
    for job in workflow["jobs"].values()
    for step in job["steps"]
]
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def checked(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run actionlint on the workflows of a repository."""
    return subprocess.run(
        [ACTIONLINT, "-no-color", *sorted((folder / ".github" / "workflows").glob("*.yml"))],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_actionlint_finds_nothing() -> None:
    done = checked(ROOT)
    assert done.returncode == 0, done.stdout


def test_actionlint_would_find_a_mistake(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / ".github" / "workflows")
    file = tmp_path / ".github" / "workflows" / "ci.yml"
    file.write_text(file.read_text("utf-8").replace("matrix.tests", "matrix.missing"))
    done = checked(tmp_path)
    assert done.returncode == 1
    assert 'property "missing" is not defined' in done.stdout


def test_steps_call_make_targets_only() -> None:
    runs = [step["run"] for _, _, step in STEPS if "run" in step]
    assert len(runs) >= 5
    tests = WORKFLOWS["ci"]["jobs"]["tests"]["strategy"]["matrix"]["tests"]
    commands = [run for run in runs if run != "make ${{ matrix.tests }}"]
    assert len(commands) == len(runs) - 1
    for command in [*commands, *(f"make {arguments}" for arguments in tests)]:
        assert "\n" not in command
        program, target, *variables = command.split()
        assert program == "make"
        assert target in TARGETS
        assert all(re.match(r'[A-Z]+="?|\d', word) for word in variables), command


def test_four_groups_run_on_every_supported_python(pytestconfig: pytest.Config) -> None:
    matrix = WORKFLOWS["ci"]["jobs"]["tests"]["strategy"]["matrix"]
    groups = ["faults", "meltano", "warehouses"]
    markers = {marker.partition(":")[0] for marker in pytestconfig.getini("markers")}
    assert {"in_process", *groups} <= markers
    assert matrix["tests"] == ["check", *(f"test ONLY={group}" for group in groups)]
    oldest = TapFolder(KIT).pyproject["project"]["requires-python"].removeprefix(">=")
    minors = [int(version.partition(".")[2]) for version in matrix["python"]]
    assert minors == list(range(int(oldest.partition(".")[2]), 15))


def test_nightly_run_has_the_full_matrix() -> None:
    # YAML 1.1 reads the key `on` as true.
    assert "schedule" in WORKFLOWS["nightly"][True]  # type: ignore[index]
    runs = [step["run"] for name, _, step in STEPS if name == "nightly" and "run" in step]
    assert any(run.startswith("make matrix") for run in runs)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_actions_are_pinned_and_permissions_are_small(name: str) -> None:
    text = (FOLDER / f"{name}.yml").read_text("utf-8")
    uses = re.findall(r"uses: (.*)", text)
    assert uses
    for use in uses:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use), use
    workflow = WORKFLOWS[name]
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 360


def test_only_the_upload_of_a_tag_gets_a_token_and_it_runs_no_code() -> None:
    assert WORKFLOWS["release"][True] == {"push": {"tags": ["v*"]}}  # type: ignore[index]
    with_permissions = [
        (name, key)
        for name, workflow in WORKFLOWS.items()
        for key, job in workflow["jobs"].items()
        if "permissions" in job
    ]
    assert with_permissions == [("release", "publish")]
    publish = WORKFLOWS["release"]["jobs"]["publish"]
    assert publish["permissions"] == {"id-token": "write"}
    assert publish["environment"]["name"] == "pypi"
    assert [step["uses"].partition("@")[0] for step in publish["steps"]] == [
        "actions/download-artifact",
        "pypa/gh-action-pypi-publish",
    ]
    assert "secrets." not in (FOLDER / "release.yml").read_text("utf-8")


def test_updates_cover_python_and_actions() -> None:
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text("utf-8"))["updates"]
    assert {update["package-ecosystem"] for update in updates} == {"uv", "github-actions"}
    for update in updates:
        assert update["directory"] == "/"
        assert update["schedule"]["interval"] == "weekly"
