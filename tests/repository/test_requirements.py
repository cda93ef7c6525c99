"""What an install step reads names each version and its hashes, and the installer checks them."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tools.workspace import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

UV = str(Path(sys.executable).with_name("uv"))  # a dependency of Meltano
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
FILES = sorted(
    path.relative_to(ROOT)
    for pattern in (
        "constraints.txt",
        "*/requirements.txt",
        "orchestration/airflow.txt",
        "tools/uv.txt",
        "benchmarks/*/requirements.txt",
        "benchmarks/peers/*/requirements.txt",
    )
    for path in ROOT.glob(pattern)
)
PINNED = re.compile(r"[a-z0-9._-]+(\[[a-z,]+\])?==[^ ;]+( ; .+?)?( --hash=sha256:[0-9a-f]{64})+")

# A build backend of a few lines, so that an editable install needs no network.
BACKEND = """
import pathlib, zipfile

def _wheel(folder):
    name = "local_tap-1.0-py3-none-any.whl"
    metadata = "Metadata-Version: 2.1\\nName: local-tap\\nVersion: 1.0\\nRequires-Dist: needed\\n"
    with zipfile.ZipFile(pathlib.Path(folder) / name, "w") as wheel:
        wheel.writestr("local_tap.py", "")
        wheel.writestr("local_tap-1.0.dist-info/METADATA", metadata)
        wheel.writestr("local_tap-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        wheel.writestr("local_tap-1.0.dist-info/RECORD", "")
    return name

def build_editable(folder, config_settings=None, metadata_directory=None):
    return _wheel(folder)

build_wheel = build_editable
"""


def requirements(file: Path) -> Iterator[str]:
    """Yield the requirements of a file, each with its hashes in one line."""
    text = (ROOT / file).read_text("utf-8").replace("\\\n", "")
    yield from (" ".join(line.split()) for line in text.splitlines() if line.strip())


def test_every_file_is_known() -> None:
    """A pattern that finds nothing would check nothing."""
    names = {str(file) for file in FILES}
    assert {"constraints.txt", "demo/requirements.txt", "transform/requirements.txt"} <= names
    assert {"orchestration/airflow.txt", "tools/uv.txt"} <= names
    assert len([file for file in FILES if file.parts[0] == "benchmarks"]) >= 7


@pytest.mark.parametrize("file", FILES, ids=str)
def test_every_requirement_has_a_version_and_hashes(file: Path) -> None:
    found = list(requirements(file))
    assert found
    for requirement in found:
        assert PINNED.fullmatch(requirement), requirement[:80]


def test_every_install_step_demands_hashes_or_uses_the_lock() -> None:
    recipes = MAKEFILE.replace("\\\n", " ")
    steps = re.findall(r"^.*(?:pip install| sync ).*$", recipes, re.MULTILINE)
    assert len(steps) >= 5
    for step in steps:
        assert "--require-hashes -r " in step or "--frozen" in step, step
    environments = (ROOT / "benchmarks" / "environments.py").read_text("utf-8")
    assert environments.count('"install"') == environments.count('"--require-hashes"') == 1


def test_written_files_get_their_hashes() -> None:
    written = re.search(r"^REQUIREMENTS := (.*)$", MAKEFILE, re.MULTILINE)
    assert written is not None
    for name in written[1].split():
        assert Path(f"{name}.txt") in FILES
        assert (ROOT / f"{name}.in").exists()
    assert "--generate-hashes" in MAKEFILE
    assert "--no-hashes" not in MAKEFILE


def test_meltano_installs_with_uv() -> None:
    """Pip refuses an editable path next to a constraint that has a hash."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
    assert project["venv"] == {"backend": "uv"}


@pytest.fixture
def local_tap(tmp_path: Path) -> Path:
    """An editable project that requires a package, and a folder with the package's wheel."""
    folder = tmp_path / "local-tap"
    folder.mkdir()
    (folder / "backend.py").write_text(BACKEND)
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "local-tap"\nversion = "1.0"\ndependencies = ["needed"]\n'
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    with zipfile.ZipFile(tmp_path / "needed-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("needed.py", "")
        wheel.writestr(
            "needed-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: needed\nVersion: 1.0\n"
        )
        wheel.writestr("needed-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("needed-1.0.dist-info/RECORD", "")
    return folder


@pytest.mark.parametrize("right", [True, False], ids=["right hash", "wrong hash"])
def test_hash_of_a_constraint_is_checked_next_to_an_editable_path(
    local_tap: Path, *, right: bool
) -> None:
    """As Meltano runs it: ``uv pip install -e ./tap -c constraints.txt``."""
    folder = local_tap.parent
    content = (folder / "needed-1.0-py3-none-any.whl").read_bytes() + (b"" if right else b"x")
    digest = hashlib.sha256(content).hexdigest()
    (folder / "constraints.txt").write_text(f"needed==1.0 \\\n    --hash=sha256:{digest}\n")
    done = subprocess.run(
        [
            *(UV, "pip", "install", "--python", sys.executable, "--target", "installed"),
            *("--no-index", "--find-links", ".", "--no-cache"),
            *("-e", "./local-tap", "-c", "constraints.txt"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) is right, done.stderr
    assert (folder / "installed" / "needed.py").exists() is right
    assert ("Hash mismatch for `needed==1.0`" in done.stderr) is not right
