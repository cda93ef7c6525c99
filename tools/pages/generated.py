"""All files that are generated from the taps, and their text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.pages import dbt_models, field_pages
from tools.pages.plugin_files import hub_file, plugin_file
from tools.pages.project_file import with_tap
from tools.pages.readme_tables import filled, with_taps
from tools.workspace import ROOT, TAPS, TapFolder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def files(paths: Sequence[Path] = TAPS) -> dict[Path, str]:
    """Return the path of each file, and its text."""
    folders = [TapFolder(path) for path in paths]
    taps = [folder.tap for folder in folders]
    project, readme = ROOT / "meltano.yml", ROOT / "README.md"
    made = {
        ROOT / "docs" / "streams.md": field_pages.streams_page(taps),
        ROOT / "docs" / "settings.md": field_pages.settings_page(taps),
        project: project.read_text("utf-8"),
        readme: with_taps(readme.read_text("utf-8"), folders),
    }
    for folder in folders:
        own = folder.path / "README.md"
        made[own] = filled(own.read_text("utf-8"), folder.tap)
        made[folder.path / "plugin.yml"] = plugin_file(folder)
        made[folder.path / "hub.yml"] = hub_file(folder)
        made[project] = with_tap(made[project], folder)
    return {**made, **dbt_models.files(taps)}
