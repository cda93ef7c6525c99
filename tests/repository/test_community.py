"""What contributors find: policies, templates, pre-commit hooks, rules for editors."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tools.pages.doc_pages import text_of
from tools.workspace import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

PRE_COMMIT = Path(sys.executable).with_name("pre-commit")
HOOKS: dict[str, dict[str, Any]] = {
    hook["id"]: hook
    for repository in yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    for hook in repository["hooks"]
}
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*_*.yml"))
SUFFIXES = (".py", ".md", ".yml", ".yaml", ".toml", ".sql", ".txt", ".in", ".j2")
WRITTEN = "benchmarks/results/"


def test_policies_say_how_to_report_without_an_invented_address() -> None:
    security = text_of(ROOT / "SECURITY.md")
    assert "Report a vulnerability" in security
    assert "Contributor Covenant, version 2.1" in text_of(ROOT / "CODE_OF_CONDUCT.md")
    for name in ("SECURITY.md", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md"):
        assert not re.search(r"[\w.]+@[\w.]+\.\w+", text_of(ROOT / name)), name
        assert name in text_of(ROOT / "README.md")


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_form_has_what_github_requires(form: Path) -> None:
    content = yaml.safe_load(form.read_text("utf-8"))
    assert {"name", "description", "body"} <= content.keys()
    fields = [field for field in content["body"] if field["type"] != "markdown"]
    assert fields
    assert len({field["id"] for field in fields}) == len(fields)
    for field in content["body"]:
        assert field["type"] in {"markdown", "input", "textarea"}
        assert field["attributes"].get("value" if field["type"] == "markdown" else "label")


def test_forms_were_found() -> None:
    assert [form.stem for form in FORMS] == ["bug_report", "feature_request"]


def test_hooks_need_no_network() -> None:
    """A hook of another repository, or of another language, would be downloaded."""
    assert len(HOOKS) == 4
    for hook in HOOKS.values():
        assert hook["language"] == "system"
        assert hook["entry"].startswith(".venv/bin/")
        assert (Path(sys.executable).parent / Path(hook["entry"].split()[0]).name).exists()


@pytest.mark.parametrize(
    ("hook", "file", "content"),
    [
        ("ruff-check", "wrong.py", "import os\n"),
        ("ruff-format", "wrong.py", "a=1\n"),
        ("actionlint", ".github/workflows/wrong.yml", "on: push\njobs: {}\n"),
    ],
)
def test_hook_stops_a_commit(tmp_path: Path, hook: str, file: str, content: str) -> None:
    for name in (".pre-commit-config.yaml", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(content)
    commands: list[list[str | Path]] = [
        ["git", "init", "--quiet"],
        ["git", "add", ".pre-commit-config.yaml", "pyproject.toml", file],
        [PRE_COMMIT, "run", hook, "--color", "never"],
    ]
    environment = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "home")}
    *_, done = (
        subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        for command in commands
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(r"\.Failed$", done.stdout, re.MULTILINE), done.stdout


def texts() -> Iterator[tuple[Path, bytes]]:
    """Yield the files that people edit, with their content."""
    listed = subprocess.run(
        [str(shutil.which("git")), "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    for name in listed:
        path = ROOT / name
        if name.endswith(SUFFIXES) and not name.startswith(WRITTEN) and path.exists():
            yield path, path.read_bytes()


def test_files_follow_the_rules_for_editors() -> None:
    """Otherwise an editor changes lines that nobody touched."""
    rules = (ROOT / ".editorconfig").read_text("utf-8")
    for rule in ("end_of_line = lf", "insert_final_newline = true", "trim_trailing_whitespace"):
        assert rule in rules
    found = list(texts())
    assert len(found) > 500
    for path, content in found:
        assert b"\r" not in content, path
        assert not content or content.endswith(b"\n"), path
        assert not re.search(rb"[ \t]$", content, re.MULTILINE), path
