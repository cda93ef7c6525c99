"""A page in a browser: headless Chromium without a network."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import pytest
from playwright.sync_api import sync_playwright

from tests.prepare import WITHOUT_BROWSER, browser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page, ViewportSize

Mode = Literal["light", "dark"]
QUIET = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")


@dataclass
class OpenPage:
    """An open page, its errors, and the addresses that it requested."""

    page: Page
    errors: list[str] = field(default_factory=list)
    requested: list[str] = field(default_factory=list)

    def table(self, section: str) -> dict[str, dict[str, str]]:
        """Return the visible cells of a section's table, by row and column."""
        lines = self.page.locator(f"#{section} table").inner_text().splitlines()
        header, *rows = [line.split("\t") for line in lines if line.strip()]
        return {row[0]: dict(zip(header[1:], row[1:], strict=True)) for row in rows}


@contextlib.contextmanager
def opened(file: Path, mode: Mode = "light") -> Iterator[OpenPage]:
    """Open a file with all details unfolded; skip the test without a browser."""
    found = None if os.environ.get(WITHOUT_BROWSER) else browser()
    if found is None:
        pytest.skip("no Chromium (apt-get install chromium): the report was not tested")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=QUIET)
        size: ViewportSize = {"width": 1100, "height": 900}
        context = chromium.new_context(offline=True, viewport=size, color_scheme=mode)
        view = OpenPage(context.new_page())
        view.page.on("console", lambda message: view.errors.append(message.text))
        view.page.on("pageerror", lambda error: view.errors.append(str(error)))
        view.page.on("requestfailed", lambda request: view.errors.append(request.url))
        view.page.on("request", lambda request: view.requested.append(request.url))
        view.page.goto(file.as_uri())
        for details in view.page.locator("details").all():
            details.locator("summary").click()
        yield view
        chromium.close()
