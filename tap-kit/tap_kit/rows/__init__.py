"""Rows: decode responses, check rows, make keys and names, write RECORD lines."""
