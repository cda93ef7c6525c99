"""Fixtures for the tests of the secrets."""

from tests.fault_matrix.fixtures import served, short_pauses_of_retries

__all__ = ["served", "short_pauses_of_retries"]
