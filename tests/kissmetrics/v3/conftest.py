"""Accounts with version 3 of the API, on real sockets."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tests.kissmetrics.v3.site import v3_account

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.kissmetrics.v3.site import V3Site


class ServeV3(Protocol):
    """Create an account as ``Serve`` does, for version 3."""

    def __call__(self, *, sizes: dict[str, Any] | None = None, **options: Any) -> V3Site:
        """Return the running account."""


@pytest.fixture
def serve_v3(tmp_path: Path) -> Iterator[ServeV3]:
    with ExitStack() as stack:

        def start(*, sizes: dict[str, Any] | None = None, **options: Any) -> V3Site:
            return stack.enter_context(v3_account(tmp_path, sizes=sizes, **options))

        yield start


@pytest.fixture
def v3(serve_v3: ServeV3) -> V3Site:
    """Return a small account at a fixed time."""
    return serve_v3()
