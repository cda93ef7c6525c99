"""The JSON schema of each stream, in a file of the stream's name."""
