"""How tests of properties choose their examples: the same in every run, however noisy the machine.

``tools/mutation.py`` sets ``MUTANT_UNDER_TEST``: there it is enough that a change is noticed, and
nobody looks for the smallest example.
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
    """Have all tests of properties use the one that fits."""
    settings.load_profile("mutations" if "MUTANT_UNDER_TEST" in os.environ else "tests")
