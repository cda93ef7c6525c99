"""JSON schemas of version 3, one file a stream."""
