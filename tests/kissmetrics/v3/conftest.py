"""Accounts with version 3 of the API, on real sockets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tests.kissmetrics.conftest import SMALL
from tests.kissmetrics.v3.site import PASSWORD, USERNAME, V3Site

if TYPE_CHECKING:
    from tests.kissmetrics.conftest import Serve

V3_SMALL = replace(SMALL, reports=4)  # version 3 runs reports of every type


class ServeV3(Protocol):
    """Create an account as ``Serve`` does, for version 3."""

    def __call__(self, *, sizes: dict[str, Any] | None = None, **options: Any) -> V3Site:
        """Return the running account."""


@pytest.fixture
def serve_v3(serve: Serve) -> ServeV3:

    def start(*, sizes: dict[str, Any] | None = None, **options: Any) -> V3Site:
        sizes = {"reports": V3_SMALL.reports, **(sizes or {})}
        site = serve(**{"email": USERNAME, "password": PASSWORD, "sizes": sizes, **options})
        return V3Site(site.api, site.at, site.folder)

    return start


@pytest.fixture
def v3(serve_v3: ServeV3) -> V3Site:
    """Return a small account at a fixed time."""
    return serve_v3()
