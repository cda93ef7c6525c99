"""Tests of ``tap_kissmetrics.lists``."""
