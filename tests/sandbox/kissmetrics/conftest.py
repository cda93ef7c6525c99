"""An account on two real sockets, at a fixed time."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timezone
from typing import Any

import pytest
from sandbox.kissmetrics import Kissmetrics

from tests.sandbox.kissmetrics.client import Client

NOON = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)


@pytest.fixture
def serve() -> Iterator[Callable[..., Client]]:
    """Return a function that serves an account with these settings until the test ends."""
    with ExitStack() as stack:

        def begin(**settings: Any) -> Client:
            api = Kissmetrics(**{"now": NOON, **settings})
            return stack.enter_context(Client(api, stack.enter_context(api.serving())))

        yield begin


@pytest.fixture
def client(serve: Callable[..., Client]) -> Client:
    return serve()
