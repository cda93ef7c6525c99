"""Fixtures for all tests that run each tap against faults, bad input and secrets."""

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
def short_pauses_of_retries() -> Iterator[None]:
    """Make the pauses before retries short."""
    with short_pauses():
        yield
