"""Hypothesis profiles: property tests use the same examples in every run, without deadlines.

Under ``MUTANT_UNDER_TEST``, set by ``tools/mutation.py``, it is enough that a test fails, so
Hypothesis does not search for the smallest example.
"""

import os

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "tests",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "mutations",
    settings.get_profile("tests"),
    max_examples=30,
    phases=[Phase.explicit, Phase.generate],
)


def load_profile() -> None:
    """Load the profile for all property tests."""
    settings.load_profile("mutations" if "MUTANT_UNDER_TEST" in os.environ else "tests")
