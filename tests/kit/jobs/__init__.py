"""The tests of ``tap_kit.jobs``."""
