"""Each message that the pages on the log and on troubles quote is one that the taps print."""

from __future__ import annotations

import re

import pytest

from tests.end_to_end.messages import all_said
from tests.kindmetrics.site import TOKEN
from tools.pages.doc_pages import messages
from tools.workspace import ROOT

pytestmark = [pytest.mark.xdist_group("messages"), pytest.mark.timeout(400)]

MESSAGES = [m for page in ("log", "trouble") for m in messages(ROOT / "docs" / f"{page}.md")]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The texts of all log lines of all scenes."""
    heard = "".join(all_said(tmp_path_factory.mktemp("messages")))
    assert TOKEN not in heard
    return [line.split(" | ", 3)[-1].strip() for line in heard.splitlines()]


def in_use(quoted: str) -> re.Pattern[str]:
    """A pattern of a quoted message: ``…`` stands for whatever is different each time."""
    return re.compile(".*".join(map(re.escape, quoted.split("…"))))


@pytest.mark.parametrize("quoted", MESSAGES)
def test_what_is_quoted_is_said(quoted: str, said: list[str]) -> None:
    assert any(in_use(quoted).match(text) for text in said), quoted


def test_there_is_enough_to_test() -> None:
    assert len(MESSAGES) > 25
