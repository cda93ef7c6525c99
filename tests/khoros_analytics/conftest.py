"""Tenants on real sockets, with short pauses between retries."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tests.khoros_analytics.site import tenant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.khoros_analytics.site import Site


class Serve(Protocol):
    """Serves a tenant until the test ends.

    The options are those of ``Khoros``; by default it has a few rows a day.
    """

    def __call__(self, **options: Any) -> Site:
        """Start the tenant."""


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(**options: Any) -> Site:
            return stack.enter_context(tenant(tmp_path, **options))

        yield start


@pytest.fixture
def site(serve: Serve) -> Site:
    """A small tenant at a fixed time."""
    return serve()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make retries immediate; the kit's tests check the real pauses."""
    monkeypatch.setattr("tap_kit.net.retries.FIRST_PAUSE_S", 0.01)
