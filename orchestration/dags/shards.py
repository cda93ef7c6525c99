"""A tap in shards on Airflow 3: a mapped task a shard, spread over the executor's workers."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import Param, dag, task

from orchestration.shards import ROOT, TABLES, Job

# How many shards run at a time; a number of the DAG, as Airflow wants to know it beforehand.
WORKERS = int(os.environ.get("SHARD_WORKERS", "2"))
RETRIES = int(os.environ.get("SHARD_RETRIES", "2"))
PARAMS = {
    "tap": Param("tap-kindmetrics", type="string"),
    "target": Param("target-postgres", type="string"),
    "environment": Param("prod", type="string", description="Meltano's"),
    "shards": Param(4, type="integer", minimum=1),
    "budget": Param(None, type=["null", "integer"], description="requests a minute, shared out"),
}


def line(params: dict[str, Any], number: int) -> str:
    """What a shell runs for a shard, or for the tables."""
    return Job(**params, workers=WORKERS).line(number)


@dag(
    dag_id="shards",
    schedule=None,  # such as "@daily", with the params of that run as their defaults
    catchup=False,
    max_active_runs=1,  # two runs of a shard would wait for each other, and then one would fail
    params=PARAMS,
    user_defined_macros={"line": line},
)
def shards() -> None:
    """First the tables, for which several shards would race; then all shards."""
    tables = BashOperator(
        task_id="tables", bash_command=f"{{{{ line(params, {TABLES}) }}}}", cwd=str(ROOT)
    )

    @task
    def lines(params: dict[str, Any] | None = None) -> list[str]:
        given = params or {}  # Airflow fills it in
        return [line(given, number) for number in range(given["shards"])]

    shard = BashOperator.partial(
        task_id="shard",
        cwd=str(ROOT),
        max_active_tis_per_dagrun=WORKERS,
        retries=RETRIES,
        # Meltano keeps a shard that was killed locked for five minutes; then it goes on from there.
        retry_delay=timedelta(minutes=6),
        map_index_template="{{ task.bash_command.split()[1] }}",
    ).expand(bash_command=lines())
    tables >> shard


shards()
