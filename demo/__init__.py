"""The demo: load from the sandbox through Meltano into JSONL files, check and show them."""
