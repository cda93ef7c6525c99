"""The tests of ``tap_kit.rows``."""
