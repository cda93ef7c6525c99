"""The Core API with version 2 of the query API."""
