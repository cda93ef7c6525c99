"""The raw data export."""
