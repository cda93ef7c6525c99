"""Saved reports: which are run, in which windows, and the rows of their results."""
