"""Tests of ``api_version: v3``."""
