"""A page as a person sees it: Chromium without a window, and without a network."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from tests.prepare import WITHOUT_BROWSER, browser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

QUIET = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")


@dataclass
class Seen:
    """A page that is open, what it complained of, and what it asked for besides itself."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def table(self, section: str) -> dict[str, dict[str, str]]:
        """The cells of a section's table as they are seen, by the names of row and column."""
        lines = self.page.locator(f"#{section} table").inner_text().splitlines()
        header, *rows = [line.split("\t") for line in lines if line.strip()]
        return {row[0]: dict(zip(header[1:], row[1:], strict=True)) for row in rows}


@contextlib.contextmanager
def opened(file: Path) -> Iterator[Seen]:
    """Open a file, everything on it unfolded; skips where there is no browser."""
    found = None if os.environ.get(WITHOUT_BROWSER) else browser()
    if found is None:
        pytest.skip("no Chromium here (apt-get install chromium): the report was not looked at")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=QUIET)
        context = chromium.new_context(offline=True, viewport={"width": 1100, "height": 900})
        seen = Seen(context.new_page())
        seen.page.on("console", lambda message: seen.complaints.append(message.text))
        seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        seen.page.on("requestfailed", lambda request: seen.complaints.append(request.url))
        seen.page.on("request", lambda request: seen.asked.append(request.url))
        seen.page.goto(file.as_uri())
        for details in seen.page.locator("details").all():
            details.locator("summary").click()
        yield seen
        chromium.close()
