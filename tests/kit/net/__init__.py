"""The tests of ``tap_kit.net``."""
