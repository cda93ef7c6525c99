"""Runs through the real Meltano, from the sandbox to the target."""
