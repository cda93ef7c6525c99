"""The demo: from the sandbox through Meltano into JSONL files, checked and shown with DuckDB."""
