"""Rules for the repository as a whole."""
