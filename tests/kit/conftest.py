"""What the kit's tests share; also where they are run by themselves, for the mutations."""

from tests.properties import load_profile

load_profile()
