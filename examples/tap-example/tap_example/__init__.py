"""A complete tap for an invented API."""
