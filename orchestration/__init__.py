"""Runs of a tap in shards, on engines that exist: see docs/beyond_one_machine.md."""
