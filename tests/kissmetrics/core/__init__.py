"""Tests of ``api_version: core``."""
