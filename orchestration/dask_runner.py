"""Run a tap in shards on Dask: in worker processes on this machine, or on a running cluster.

The workers of a cluster need what this machine has: this folder with Meltano and its plugins, the
same environment variables, and ``MELTANO_DATABASE_URI`` with a database that all can reach.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from distributed import Client, LocalCluster, as_completed

from orchestration.shards import TABLES, Job, arguments, job_of

if TYPE_CHECKING:
    from distributed import Future


class ShardResult(NamedTuple):
    """The exit code of a shard, and the worker process in which it ran."""

    exit_code: int
    worker: str


def run_shard(job: Job, number: int) -> ShardResult:
    """Run a shard; called in a worker."""
    return ShardResult(job.run(number), f"{socket.gethostname()}, process {os.getpid()}")


def run(client: Client, job: Job) -> dict[str, ShardResult]:
    """Create the tables, then run all shards; return the results by state id.

    If the tables cannot be created, no shard runs.
    """

    def submit(number: int) -> Future[ShardResult]:
        return client.submit(run_shard, job, number, key=job.state_id(number), pure=False)

    # The tables come first, or several shards create the same table at the same time.
    results = {job.state_id(TABLES): submit(TABLES).result()}
    if any(result.exit_code for result in results.values()):
        return results
    waiting = iter(range(job.shards))
    # A cluster may have more workers than the request budget was divided by.
    running = as_completed([submit(next(waiting)) for _ in range(job.max_running)])
    for done in running:
        results[done.key] = done.result()
        for number in islice(waiting, 1):
            running.add(submit(number))
    return results


def main() -> int:
    """Run a tap in shards; return 1 if one of them fails. The others continue."""
    parser = arguments(__doc__)
    parser.add_argument(
        "--scheduler", help="address of a cluster; without it, workers start on this machine"
    )
    options = vars(parser.parse_args())
    scheduler = options.pop("scheduler")
    job = job_of(parser, options)
    with contextlib.ExitStack() as stack:
        cluster = scheduler or stack.enter_context(
            LocalCluster(n_workers=job.max_running, threads_per_worker=1, dashboard_address=":0")
        )
        results = run(stack.enter_context(Client(cluster)), job)
    for state_id, result in sorted(results.items()):
        outcome = f"failed with {result.exit_code}" if result.exit_code else "done"
        print(f"{state_id}: {outcome}, {result.worker}")
    return int(any(result.exit_code for result in results.values()))


if __name__ == "__main__":
    sys.exit(main())
