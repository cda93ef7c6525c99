"""Tests of the sandbox: the vendors' contracts, and repeatable faults."""
