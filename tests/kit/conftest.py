"""What the kit's tests share."""

import os

from hypothesis import HealthCheck, Phase, settings

# The same examples in every run, however noisy the machine.
settings.register_profile(
    "kit",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
# For the mutations: that a change is noticed is enough, nobody looks for the smallest example.
settings.register_profile(
    "mutations",
    settings.get_profile("kit"),
    max_examples=30,
    phases=[Phase.explicit, Phase.generate],
)
settings.load_profile("mutations" if "MUTANT_UNDER_TEST" in os.environ else "kit")
