"""All files that are made from the taps; ``python -m tests.repository.generated`` writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.repository import dbt_models, field_pages
from tests.repository.plugin_files import hub_file, plugin_file, project_file
from tests.repository.readme_tables import filled
from tests.repository.workspace import ROOT, TAPS, tap_class

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


def main() -> None:
    """Write them all."""
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
