"""The JSON schemas of the lookups, and the known columns of exports."""
