"""The JSON schemas of the look-ups, and the columns of exports that are attested."""
