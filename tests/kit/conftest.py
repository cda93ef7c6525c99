"""What the kit's tests share."""

from hypothesis import HealthCheck, settings

# The same examples in every run, however noisy the machine.
settings.register_profile(
    "kit",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("kit")
