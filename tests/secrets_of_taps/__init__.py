"""Secrets are sent to the vendor and appear nowhere else."""
