"""Accounts on real sockets, with short pauses between attempts."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tests.kissmetrics.site import account

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.kissmetrics.site import Site


class Serve(Protocol):
    """Create an account and serve it until the test ends.

    ``sizes`` are changes to a small account; the other options are the sandbox's own.
    """

    def __call__(self, *, sizes: dict[str, Any] | None = None, **options: Any) -> Site:
        """Return the running account."""


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(*, sizes: dict[str, Any] | None = None, **options: Any) -> Site:
            return stack.enter_context(account(tmp_path, sizes=sizes, **options))

        yield start


@pytest.fixture
def site(serve: Serve) -> Site:
    """Return a small account at a fixed time."""
    return serve()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses before retries; the kit's tests check the real ones."""
    monkeypatch.setattr("tap_kit.net.retries.FIRST_PAUSE_S", 0.01)
