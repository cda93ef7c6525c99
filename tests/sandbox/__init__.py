"""What the sandbox promises: the vendors' contracts, and misbehaviour that repeats."""
