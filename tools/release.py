"""``python -m tools.release v0.1.0``: check that a commit can be released under a tag.

The kit and the taps have one version, the taps need at least this version of the kit, and the
changelog has a dated entry for it. Without a tag, only the versions are checked.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.workspace import EXAMPLE, KIT, ROOT, TAPS, TapFolder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

CHANGELOG = ROOT / "CHANGELOG.md"
KIT_NAME = "analytics-tap-kit"
HEADING = re.compile(r"^## \[(?P<version>[^\]]+)\](?: - (?P<date>\d{4}-\d\d-\d\d))?$", re.MULTILINE)


@dataclass(frozen=True)
class Release:
    """What the packages and the changelog say about the next release."""

    kit: Path = KIT
    taps: Sequence[Path] = (*TAPS, EXAMPLE)
    changelog: Path = CHANGELOG

    @property
    def version(self) -> str:
        """The version of the kit, which the others must have too."""
        return _version(self.kit)

    def problems(self, tag: str | None = None) -> Iterator[str]:
        """Yield a line for each reason not to release this commit under a tag."""
        for tap in self.taps:
            yield from self._problems_of(tap)
        if tag is not None:
            yield from self._problems_of_tag(tag)

    def _problems_of(self, tap: Path) -> Iterator[str]:
        if _version(tap) != self.version:
            yield (
                f"version of {tap.name} must be that of the kit, {self.version}, "
                f"got {_version(tap)}: change {tap.name}/pyproject.toml"
            )
        needs = [need for need in _project(tap)["dependencies"] if need.startswith(KIT_NAME)]
        if needs != [f"{KIT_NAME}>={self.version}"]:
            yield (
                f"{tap.name} must need {KIT_NAME}>={self.version}, got {', '.join(needs)}: "
                f"change {tap.name}/pyproject.toml"
            )

    def _problems_of_tag(self, tag: str) -> Iterator[str]:
        if tag != f"v{self.version}":
            yield f"tag must be v{self.version}, got {tag}: set the versions, or use another tag"
        newest = HEADING.search(self.changelog.read_text(encoding="utf-8"))
        if newest is None or newest["version"] != self.version or newest["date"] is None:
            yield (
                f"newest entry of CHANGELOG.md must be '## [{self.version}] - YYYY-MM-DD', "
                f"got {newest[0] if newest else 'none'!r}: move the changes there"
            )


def main(tag: str) -> int:
    """Print the problems; return 1 if there are any."""
    problems = list(Release().problems(tag))
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    return 1 if problems else 0


def _project(folder: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = TapFolder(folder).pyproject["project"]
    return found


def _version(folder: Path) -> str:
    return str(_project(folder)["version"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
