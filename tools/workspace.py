"""The packages of the workspace, found by their files: a new tap is tested without being named."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_kit.tap import KitTap

ROOT = Path(__file__).parents[1]
KIT = ROOT / "tap-kit"
TAPS = sorted(
    path.parent for path in ROOT.glob("tap-*/pyproject.toml") if path.parent.name != KIT.name
)
VENDORS = [tap.name.removeprefix("tap-").partition("-")[0] for tap in TAPS]


def package_of(folder: Path) -> str:
    """The name under which a package is imported."""
    return folder.name.replace("-", "_")


def sources(*folders: Path) -> list[Path]:
    """The Python files of packages, relative to the repository so that ids can be read.

    What was installed beside them, in a folder with a dot, is not ours.
    """
    found = (path.relative_to(ROOT) for folder in folders for path in folder.rglob("*.py"))
    return sorted(path for path in found if not any(part[0] == "." for part in path.parts))


def tap_class(folder: Path) -> type[KitTap]:
    """The class behind a tap's command."""
    package = package_of(folder)
    module = importlib.import_module(f"{package}.tap")
    name = "".join(part.capitalize() for part in package.split("_"))
    tap: type[KitTap] = getattr(module, name)
    return tap
