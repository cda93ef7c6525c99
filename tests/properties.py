"""Hypothesis profiles: property tests use the same examples in every run, without deadlines.

``THOROUGH=1`` tries eight times as many examples. Under ``MUTANT_UNDER_TEST``, set by
``tools/mutation.py``, it is enough that a test fails, so Hypothesis does not search for the
smallest example.
"""

import os

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "tests",
    deadline=None,
    derandomize=True,
    max_examples=25,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("thorough", settings.get_profile("tests"), max_examples=200)
settings.register_profile(
    "mutations",
    settings.get_profile("tests"),
    max_examples=30,
    phases=[Phase.explicit, Phase.generate],
)


def load_profile() -> None:
    """Load the profile for all property tests."""
    if "MUTANT_UNDER_TEST" in os.environ:
        settings.load_profile("mutations")
    else:
        settings.load_profile("thorough" if "THOROUGH" in os.environ else "tests")
