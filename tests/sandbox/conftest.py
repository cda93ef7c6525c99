"""A sandbox on a real socket, at a fixed time."""

from collections.abc import Iterator
from datetime import datetime, timezone

import pytest
from sandbox.kindmetrics import Kindmetrics
from sandbox.server import running

from tests.sandbox.client import Client

NOON = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)


@pytest.fixture
def api() -> Kindmetrics:
    return Kindmetrics(now=NOON)


@pytest.fixture
def client(api: Kindmetrics) -> Iterator[Client]:
    with running(api.app) as server, Client(server) as client:
        yield client
