"""Run a tap in shards on Dask, Airflow or another engine: see docs/beyond_one_machine.md."""
