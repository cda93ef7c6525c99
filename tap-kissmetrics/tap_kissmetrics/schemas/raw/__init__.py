"""The JSON schemas of the streams of the raw data export."""
