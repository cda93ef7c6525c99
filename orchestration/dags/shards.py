"""A tap in shards on Airflow 3: one mapped task per shard, on the executor's workers."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import Param, dag, task

from orchestration.shards import ROOT, TABLES, Job

# The number of shards that run at a time. Airflow must know it when it reads the DAG.
WORKERS = int(os.environ.get("SHARD_WORKERS", "2"))
RETRIES = int(os.environ.get("SHARD_RETRIES", "2"))
PARAMS = {
    "tap": Param("tap-kindmetrics", type="string"),
    "target": Param("target-postgres", type="string"),
    "environment": Param("prod", type="string", description="Meltano's"),
    "shards": Param(4, type="integer", minimum=1),
    "budget": Param(None, type=["null", "integer"], description="requests a minute, divided"),
}


def line(params: dict[str, Any], number: int) -> str:
    """Return the shell command of a shard, or of the tables."""
    return Job(**params, workers=WORKERS).shell_line(number)


@dag(
    dag_id="shards",
    schedule=None,  # for example "@daily", with the params of that run as defaults
    catchup=False,
    max_active_runs=1,  # of two runs of a shard, one would wait for the other and then fail
    params=PARAMS,
    user_defined_macros={"line": line},
)
def shards() -> None:
    """Create the tables first, or several shards create the same one; then run all shards."""
    tables = BashOperator(
        task_id="tables", bash_command=f"{{{{ line(params, {TABLES}) }}}}", cwd=str(ROOT)
    )

    @task
    def lines(params: dict[str, Any] | None = None) -> list[str]:
        given = params or {}  # Airflow sets it
        return [line(given, number) for number in range(given["shards"])]

    shard = BashOperator.partial(
        task_id="shard",
        cwd=str(ROOT),
        max_active_tis_per_dagrun=WORKERS,
        retries=RETRIES,
        # Meltano keeps a killed shard locked for five minutes; after that a retry can continue.
        retry_delay=timedelta(minutes=6),
        map_index_template="{{ task.bash_command.split()[1] }}",
    ).expand(bash_command=lines())
    tables >> shard


shards()
