"""The taps print each message that the pages on logs and troubleshooting quote."""

from __future__ import annotations

import re

import pytest

from tests.end_to_end.messages import stderr_of_all
from tests.kindmetrics.site import TOKEN
from tools.pages.doc_pages import messages
from tools.workspace import ROOT

pytestmark = [pytest.mark.xdist_group("messages"), pytest.mark.timeout(400)]

MESSAGES = [m for page in ("log", "trouble") for m in messages(ROOT / "docs" / f"{page}.md")]


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The texts of the log lines of all scenarios."""
    stderr = "".join(stderr_of_all(tmp_path_factory.mktemp("messages")))
    assert TOKEN not in stderr
    return [line.split(" | ", 3)[-1].strip() for line in stderr.splitlines()]


def pattern_of(quoted: str) -> re.Pattern[str]:
    """Return the pattern of a quoted message; ``…`` stands for any text."""
    return re.compile(".*".join(map(re.escape, quoted.split("…"))))


@pytest.mark.parametrize("quoted", MESSAGES)
def test_quoted_message_is_printed(quoted: str, logged: list[str]) -> None:
    assert any(pattern_of(quoted).match(text) for text in logged), quoted


def test_pages_quote_messages() -> None:
    assert len(MESSAGES) > 25
