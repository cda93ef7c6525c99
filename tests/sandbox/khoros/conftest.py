"""A tenant on real sockets, at a fixed time."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timezone
from typing import Any

import pytest
from sandbox.khoros import Khoros

from .client import Client

NOON = datetime(2026, 5, 1, 12, tzinfo=timezone.utc)
Serve = Callable[..., Client]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return a function that serves a tenant with these switches."""
    with ExitStack() as stack:

        def served(**switches: Any) -> Client:
            khoros = Khoros(**{"now": NOON, **switches})
            client = Client(khoros, stack.enter_context(khoros.serving()))
            stack.callback(client.session.close)
            return client

        yield served


@pytest.fixture
def client(serve: Serve) -> Client:
    """Return a client of a tenant with the defaults."""
    return serve()
