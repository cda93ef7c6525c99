"""All files that are made from the taps, and their text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.pages import dbt_models, field_pages
from tools.pages.plugin_files import hub_file, plugin_file, project_file
from tools.pages.readme_tables import filled
from tools.workspace import ROOT, TAPS, tap_class

if TYPE_CHECKING:
    from pathlib import Path


def files() -> dict[Path, str]:
    """The path of each file, and what has to be in it."""
    taps = [tap_class(folder) for folder in TAPS]
    made = {
        ROOT / "docs" / "streams.md": field_pages.streams_page(taps),
        ROOT / "docs" / "settings.md": field_pages.settings_page(taps),
    }
    project = (ROOT / "meltano.yml").read_text("utf-8")
    for folder, tap in zip(TAPS, taps, strict=True):
        readme = folder / "README.md"
        made[readme] = filled(readme.read_text("utf-8"), tap)
        made[folder / "plugin.yml"] = plugin_file(tap)
        made[folder / "hub.yml"] = hub_file(tap)
        project = project_file(project, tap)
    return {**made, **dbt_models.files(), ROOT / "meltano.yml": project}
