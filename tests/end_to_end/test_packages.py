"""The built packages: their content, and their installation by uv, pip and pipx."""

from __future__ import annotations

import email
import importlib.util
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.processes import clean_environment
from tools.workspace import KIT, ROOT, TAPS, package_of

if TYPE_CHECKING:
    from email.message import Message

pytestmark = [pytest.mark.xdist_group("packages"), pytest.mark.timeout(300)]

UV = str(Path(sys.executable).with_name("uv"))  # a dependency of Meltano
NAMES = [tap.name for tap in TAPS]
PACKAGES = [KIT, *TAPS]


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
    folder = tmp_path_factory.mktemp("dist")
    for package in PACKAGES:
        run(UV, "build", "--quiet", package, "--out-dir", folder)
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
    """Return the ``METADATA`` of a wheel; its body is the README."""
    (text,) = (v for k, v in files_of(wheel).items() if k.endswith(".dist-info/METADATA"))
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
def test_source_archive_has_its_licence_and_builds_the_same_wheel(
    dist: Path, package: Path, tmp_path: Path
) -> None:
    (source,) = dist.glob(f"*{package_of(package)}-*.tar.gz")
    assert files_of(source)["LICENSE"] == (ROOT / "LICENSE").read_bytes()
    run(UV, "build", "--quiet", "--wheel", source, "--out-dir", tmp_path)
    assert files_of(wheel_of(tmp_path, package)) == files_of(wheel_of(dist, package))


def assert_taps_work(folder: Path) -> None:
    """Check that each tap's command prints its version and its streams."""
    for name in NAMES:
        assert "0.1.0" in run(folder / name, "--version")
        assert "## Streams" in run(folder / name, "--about", "--format=markdown")


def test_uv_installs_all_of_them_together(dist: Path, tmp_path: Path) -> None:
    run(UV, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    run(UV, "pip", "install", "--quiet", "--python", python, "--find-links", dist, *NAMES)
    assert_taps_work(python.parent)


def test_pip_installs_all_of_them_together(dist: Path, tmp_path: Path) -> None:
    run(UV, "venv", "--quiet", "--seed", "--python", sys.executable, tmp_path / "venv")
    pip = tmp_path / "venv" / "bin" / "pip"
    run(pip, "install", "--quiet", "--find-links", dist, *NAMES)
    run(pip, "check")
    assert_taps_work(pip.parent)


@pytest.mark.skipif(
    importlib.util.find_spec("ensurepip") is None, reason="pipx needs a python3 with venv"
)
def test_pipx_installs_all_of_them_together(dist: Path, tmp_path: Path) -> None:
    places = {"PIPX_HOME": str(tmp_path / "home"), "PIPX_BIN_DIR": str(tmp_path / "bin")}
    pipx = (UV, "tool", "run", "--quiet", "pipx")
    wheels = ("--pip-args", f"--find-links {dist}")
    first, *others = (wheel_of(dist, tap) for tap in TAPS)
    run(*pipx, "install", "--quiet", *wheels, first, **places)
    run(*pipx, "inject", "--quiet", "--include-apps", *wheels, NAMES[0], *others, **places)
    assert_taps_work(tmp_path / "bin")
