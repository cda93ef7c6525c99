"""The generated pages and plugin files match the settings and streams of the taps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools.pages.generated import files
from tools.workspace import ROOT, TAPS, tap_class

if TYPE_CHECKING:
    from pathlib import Path

FILES = files()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_generated_file_is_current(path: Path) -> None:
    assert path.read_text("utf-8") == FILES[path], "run: make pages"


@pytest.mark.parametrize("tap", TAPS, ids=lambda tap: tap.name)
def test_readme_has_both_tables(tap: Path) -> None:
    text = (tap / "README.md").read_text("utf-8")
    assert "<!-- settings -->" in text
    for variant in tap_class(tap).variants():
        assert f"<!-- {f'streams {variant}'.strip()} -->" in text
