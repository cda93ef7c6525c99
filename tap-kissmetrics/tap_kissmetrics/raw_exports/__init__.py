"""The raw data export: every event, from the files that Kissmetrics writes into a bucket."""
