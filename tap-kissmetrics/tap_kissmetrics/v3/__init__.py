"""Version 3 of the query API."""
