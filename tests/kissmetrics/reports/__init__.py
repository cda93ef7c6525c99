"""Tests of ``tap_kissmetrics.reports``."""
