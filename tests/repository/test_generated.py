"""The generated pages and plugin files match the settings and streams of the taps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools.pages.generated import files
from tools.workspace import ROOT, TAPS, tap_class

if TYPE_CHECKING:
    from pathlib import Path


def test_generated_files_are_current() -> None:
    old = [path for path, text in files().items() if path.read_text("utf-8") != text]
    assert [str(path.relative_to(ROOT)) for path in old] == [], "run: make pages"


@pytest.mark.parametrize("tap", TAPS, ids=lambda tap: tap.name)
def test_readme_has_both_tables(tap: Path) -> None:
    text = (tap / "README.md").read_text("utf-8")
    assert "<!-- settings -->" in text
    for variant in tap_class(tap).variants():
        assert f"<!-- {f'streams {variant}'.strip()} -->" in text
