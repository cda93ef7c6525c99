"""The packages of the workspace, found by their folders: a new tap needs no registration."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from tap_kit.tap import KitTap

ROOT = Path(__file__).parents[1]
KIT = ROOT / "tap-kit"
TAPS = sorted(
    path.parent for path in ROOT.glob("tap-*/pyproject.toml") if path.parent.name != KIT.name
)
EXAMPLE = ROOT / "examples" / "tap-example"  # to copy from; the rules for taps hold for it too
VENDORS = [tap.name.removeprefix("tap-").partition("-")[0] for tap in TAPS]
# Facts about a tap for `make pages` that its class does not contain.
ABOUT = {
    "label": "the vendor's product, as a person calls it",
    "website": "where the vendor's product is, https://...",
    "reads": "what the tap reads: a cell of the table in README.md",
    "incremental-by": "what its bookmarks stand for: the next cell",
}


class IncompleteTapError(ValueError):
    """A tap's folder lacks something; the text says what, where, and what to add."""


@dataclass(frozen=True)
class TapFolder:
    """A tap as its folder describes it."""

    path: Path

    @property
    def name(self) -> str:
        """The name of the tap, its folder and its command."""
        return self.path.name

    @cached_property
    def pyproject(self) -> dict[str, Any]:
        """The content of its ``pyproject.toml``."""
        return tomllib.loads((self.path / "pyproject.toml").read_text(encoding="utf-8"))

    @cached_property
    def about(self) -> dict[str, str]:
        """The facts for pages and plugin files, from ``[tool.analytics-tap]``.

        Raises:
            IncompleteTapError: when some of them are missing.
        """
        given: dict[str, str] = self.pyproject.get("tool", {}).get("analytics-tap", {})
        missing = [f'{key} = "..."  # {what}' for key, what in ABOUT.items() if not given.get(key)]
        if missing:
            lines = "\n".join(["[tool.analytics-tap]", *missing])
            msg = f"{self.name}/pyproject.toml does not describe the tap. Add:\n\n{lines}"
            raise IncompleteTapError(msg)
        return given

    @cached_property
    def tap(self) -> type[KitTap]:
        """The class behind its command, from ``[project.scripts]``.

        Raises:
            IncompleteTapError: when there is no such command or class.
        """
        command = self.pyproject["project"].get("scripts", {}).get(self.name, "")
        module, _, attributes = command.partition(":")
        example = f'{self.name} = "{package_of(self.path)}.tap:TapClass.cli"'
        if not attributes:
            msg = f"{self.name}/pyproject.toml has no command. Add:\n\n[project.scripts]\n{example}"
            raise IncompleteTapError(msg)
        try:
            found: type[KitTap] = getattr(
                importlib.import_module(module), attributes.partition(".")[0]
            )
        except (ModuleNotFoundError, AttributeError) as error:
            msg = (
                f"{self.name}/pyproject.toml names a command that cannot be imported: {error}. "
                f"Correct it, as in:\n\n[project.scripts]\n{example}"
            )
            raise IncompleteTapError(msg) from error
        return found


def package_of(folder: Path) -> str:
    """Return the name under which a package is imported."""
    return folder.name.replace("-", "_")


def sources(*folders: Path) -> list[Path]:
    """Return the Python files of packages, relative to the repository so that ids can be read.

    What was installed beside them, in a folder with a dot, is left out.
    """
    found = (path.relative_to(ROOT) for folder in folders for path in folder.rglob("*.py"))
    return sorted(path for path in found if not any(part[0] == "." for part in path.parts))


def tap_class(folder: Path) -> type[KitTap]:
    """Return the class behind a tap's command."""
    return TapFolder(folder).tap
