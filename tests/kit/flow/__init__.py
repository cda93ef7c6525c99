"""The tests of ``tap_kit.flow``."""
