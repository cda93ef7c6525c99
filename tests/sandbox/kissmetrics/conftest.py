"""A sandbox on two real sockets, at a fixed time."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timezone
from typing import Any

import pytest
from sandbox.kissmetrics import Kissmetrics

from tests.sandbox.kissmetrics.asking import Asker

NOON = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)


@pytest.fixture
def serve() -> Iterator[Callable[..., Asker]]:
    """Give a function that serves an account, set as its keywords say, until the test ends."""
    with ExitStack() as stack:

        def begin(**settings: Any) -> Asker:
            api = Kissmetrics(**{"now": NOON, **settings})
            return stack.enter_context(Asker(api, stack.enter_context(api.serving())))

        yield begin


@pytest.fixture
def asker(serve: Callable[..., Asker]) -> Asker:
    return serve()
