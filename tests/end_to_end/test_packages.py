"""The built packages: their content, and their installation as docs/install.md says."""

from __future__ import annotations

import email
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.metadata import Metadata

from tests.processes import clean_environment
from tools.release import Release
from tools.workspace import KIT, ROOT, TAPS, package_of

if TYPE_CHECKING:
    from email.message import Message

pytestmark = [pytest.mark.xdist_group("packages"), pytest.mark.timeout(300)]

UV = str(Path(sys.executable).with_name("uv"))  # a dependency of Meltano
NAMES = [tap.name for tap in TAPS]
PACKAGES = [KIT, *TAPS]
TAP = "tap-kindmetrics"  # the example of docs/install.md
INSTALLING = re.findall(
    r"^(?:pip|pipx|uv) .*$", (ROOT / "docs" / "install.md").read_text("utf-8"), re.MULTILINE
)


def run(*command: str | Path, **environment: str) -> str:
    """Run a command that must succeed; return its output."""
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        check=False,
        env=clean_environment({"UV_NO_PROGRESS": "1", "PYTHONPATH": "", **environment}),
        timeout=280,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with a wheel and a source archive of each package."""
    folder = tmp_path_factory.mktemp("built") / "dist"
    for package in PACKAGES:
        run(UV, "build", "--quiet", package, "--out-dir", folder)
    shutil.copy(ROOT / "constraints.txt", folder.parent)
    return folder


def files_of(archive: Path) -> dict[str, bytes]:
    """Return the files of a wheel or a source archive, by path."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist()}
    with tarfile.open(archive) as source:
        files = (member for member in source.getmembers() if member.isfile())
        return {m.name.partition("/")[2]: source.extractfile(m).read() for m in files}  # type: ignore[union-attr]


def wheel_of(dist: Path, package: Path) -> Path:
    """Return a package's wheel."""
    (wheel,) = dist.glob(f"*{package_of(package)}-*.whl")
    return wheel


def metadata_of(wheel: Path) -> Message:
    """Return the ``METADATA`` of a wheel, which PyPI would accept; its body is the README."""
    (text,) = (v for k, v in files_of(wheel).items() if k.endswith(".dist-info/METADATA"))
    valid = Metadata.from_email(text, validate=True)
    assert valid.description_content_type == "text/markdown"
    return email.message_from_bytes(text)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_wheel_has_types_schemas_licence_and_readme(dist: Path, package: Path) -> None:
    wheel, module = wheel_of(dist, package), package / package_of(package)
    files = files_of(wheel)
    wanted = [*module.rglob("*.py"), *module.rglob("*.json"), module / "py.typed"]
    assert {str(path.relative_to(package)) for path in wanted} <= files.keys()
    others = {name for name in files if not name.startswith(f"{module.name}/")}
    assert all(".dist-info/" in name for name in others)
    assert not any(name.endswith(".pyc") for name in files)
    licence = next(v for k, v in files.items() if k.endswith("licenses/LICENSE"))
    assert licence == (ROOT / "LICENSE").read_bytes()
    metadata = metadata_of(wheel)
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Summary"]
    assert metadata["Requires-Python"] == ">=3.10"
    assert metadata.get_payload(decode=True) == (package / "README.md").read_bytes()
    for needed in metadata.get_all("Requires-Dist", []):
        assert "=" in needed, f"{needed} has no minimum version"


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_source_archive_has_its_licence_and_all_of_the_wheel(
    dist: Path, package: Path, tmp_path: Path
) -> None:
    (source,) = dist.glob(f"*{package_of(package)}-*.tar.gz")
    assert files_of(source)["LICENSE"] == (ROOT / "LICENSE").read_bytes()
    # uv builds the wheel in dist/ from the source archive, this one from the folder.
    run(UV, "build", "--quiet", "--wheel", package, "--out-dir", tmp_path)
    assert files_of(wheel_of(tmp_path, package)) == files_of(wheel_of(dist, package))


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The git URL of a repository whose only commit has the files of this folder."""
    folder = tmp_path_factory.mktemp("repository")
    git = ("git", f"--git-dir={folder / '.git'}", f"--work-tree={ROOT}")
    run("git", "init", "--quiet", folder)
    run(*git, "add", "--all")
    run(*git, "-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "--quiet", "-m", "all")
    return f"git+{folder.as_uri()}"


@pytest.fixture(scope="module")
def virtual_environment(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with pip and what kit and taps need.

    uv installs this in a second; pip would take half a minute for each command.
    """
    folder = tmp_path_factory.mktemp("environment")
    run(UV, "venv", "--quiet", "--seed", "--python", sys.executable, folder)
    python = folder / "bin" / "python"
    wheels = [wheel_of(dist, package) for package in PACKAGES]
    run(UV, "pip", "install", "--quiet", "--python", python, *wheels)
    run(UV, "pip", "check", "--python", python)
    return folder


@pytest.fixture
def places(tmp_path: Path, virtual_environment: Path) -> dict[str, str]:
    """Where pip, pipx and uv install, and a PATH with all of them."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "uv").symlink_to(UV)
    (programs / "pipx").write_text(f'#!/bin/sh\nexec {UV} tool run --quiet pipx "$@"\n')
    (programs / "pipx").chmod(0o755)
    own = virtual_environment / "bin"
    return {
        "PATH": f"{programs}:{own}:{os.environ['PATH']}",
        "VIRTUAL_ENV": str(virtual_environment),
        "PIPX_HOME": str(tmp_path / "home"),
        "PIPX_BIN_DIR": str(tmp_path / "bin"),
        "PIP_NO_COMPILE": "1",
        "UV_TOOL_DIR": str(tmp_path / "tools"),
        "UV_TOOL_BIN_DIR": str(tmp_path / "bin"),
    }


def test_all_of_them_install_together_and_work(virtual_environment: Path) -> None:
    for name in NAMES:
        command = virtual_environment / "bin" / name
        assert "## Streams" in run(command, "--about", "--format=markdown")


def test_page_has_a_command_for_each_program_and_source() -> None:
    """One each for a git URL and for wheels; one more of uv installs with hashes."""
    programs = [line.partition(" ")[0] for line in INSTALLING]
    assert sorted(programs) == ["pip", "pip", "pipx", "pipx", "uv", "uv", "uv"]
    assert sum("$REPO" in line for line in INSTALLING) == 3


@pytest.mark.parametrize("line", INSTALLING)
def test_documented_command_installs_a_tap_and_the_kit(
    line: str, dist: Path, repository: str, places: dict[str, str], tmp_path: Path
) -> None:
    if line.startswith("pipx") and importlib.util.find_spec("ensurepip") is None:
        pytest.skip("pipx needs a python3 with venv")
    own = Path(places["VIRTUAL_ENV"]) / "bin"
    into_own = line.startswith(("pip ", "uv pip "))
    if into_own:
        run(UV, "pip", "uninstall", "--python", own / "python", "analytics-tap-kit", TAP)
    run("/bin/sh", "-ec", f"cd {dist.parent}; {line}", **places, REPO=repository)
    command = (own if into_own else tmp_path / "bin") / TAP
    assert os.access(command, os.X_OK)
    (python,) = re.findall(r"^#!(\S+)", command.read_text())
    source = repository.removeprefix("git+") if "$REPO" in line else dist.as_uri()
    for package, version, url in installed(python):
        assert version == Release().version, package
        assert url.startswith(source), f"{package} comes from {url}"


def installed(python: str) -> list[tuple[str, str, str]]:
    """Return the version and the source of kit and tap in an environment.

    The commands themselves run in another test: each first start compiles all modules.
    """
    code = (
        "import importlib.metadata as m, json, sys;"
        "found = [m.distribution(name) for name in sys.argv[1:]];"
        "urls = [json.loads(d.read_text('direct_url.json') or '{}').get('url', '') for d in found];"
        "print(json.dumps([[d.name, d.version, url] for d, url in zip(found, urls)]))"
    )
    found = json.loads(run(python, "-c", code, "analytics-tap-kit", TAP))
    return [(name, version, url) for name, version, url in found]
