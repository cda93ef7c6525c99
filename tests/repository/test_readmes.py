"""What the READMEs say of settings and streams is what the taps have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.repository.readme_tables import TAPS, filled, readme_of

if TYPE_CHECKING:
    from tap_kit.tap import KitTap


@pytest.mark.parametrize("tap", TAPS, ids=lambda tap: tap.name)
def test_a_readme_has_the_tables_of_today(tap: type[KitTap]) -> None:
    text = readme_of(tap).read_text("utf-8")
    assert "<!-- settings -->" in text
    assert "<!-- streams -->" in text
    assert filled(text, tap) == text, "run: python -m tests.repository.readme_tables"
