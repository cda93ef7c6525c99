"""The benchmarks at a tiny size, without the peers, so that their commands keep working."""
