"""The tests of ``tap_kit.run``."""
