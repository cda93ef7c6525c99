"""The Hypothesis profile of the kit's tests, also if they run alone, as for mutation testing."""

from tests.properties import load_profile

load_profile()
