"""Fixtures for the tests of bad input."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.every_tap import short_pauses
from tests.fault_matrix.parts import Served

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    """The taps, each with its account, which all tests of a worker share."""
    with ExitStack() as stack:
        yield Served(stack)


@pytest.fixture(autouse=True)
def _short_pauses() -> Iterator[None]:
    with short_pauses():
        yield
