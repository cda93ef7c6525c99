"""Makers of pages and plugin files, from the taps or from the results of the matrices."""
