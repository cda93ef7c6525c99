"""Accounts on real sockets, with short pauses between retries."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from sandbox.kindmetrics import Kindmetrics
from sandbox.server import running

from tests.kindmetrics.site import FAST, NOW, TOKEN, Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Serve(Protocol):
    """Serves an account until the test ends."""

    def __call__(self, **options: Any) -> Site:
        """Start the account; the options are those of ``Kindmetrics``."""


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(**options: Any) -> Site:
            api = Kindmetrics(**{"token": TOKEN, "now": NOW, "domains": 2, **FAST, **options})
            return Site(api, stack.enter_context(running(api.app)).url, tmp_path)

        yield start


@pytest.fixture
def site(serve: Serve) -> Site:
    """Two small domains at a fixed time."""
    return serve()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make retries immediate; the kit's tests check the real pauses."""
    monkeypatch.setattr("tap_kit.net.retries.FIRST_PAUSE_S", 0.01)
