"""Rows: from the bytes of a response to checked rows, keys, names and RECORD lines."""
