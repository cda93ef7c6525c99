"""The dbt project over what the taps loaded: DuckDB over JSONL files, and PostgreSQL."""
