"""Shards on engines: what they are to Meltano, their states, and real runs of two engines."""
