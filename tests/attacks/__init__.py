"""Attacks on real processes of the taps, from servers that are independent of the sandbox."""
