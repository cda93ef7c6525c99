"""The benchmarks. Each module with a ``run`` function is one benchmark; see ``make bench``."""
