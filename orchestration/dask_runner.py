"""A tap in shards on Dask: worker processes on this machine, or those of a cluster that is there.

The workers of a cluster need what this machine has: this folder with Meltano and its plugins, the
same environment variables, and ``MELTANO_DATABASE_URI`` with a database that all of them reach.
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


class Ended(NamedTuple):
    """How a shard ended, and in which worker process it ran."""

    code: int
    worker: str


def work(job: Job, number: int) -> Ended:
    """Run a shard; in a worker."""
    return Ended(job.run(number), f"{socket.gethostname()}, process {os.getpid()}")


def run(client: Client, job: Job) -> dict[str, Ended]:
    """How the tables ended, and if these could be made, all shards; by state id."""

    def begin(number: int) -> Future[Ended]:
        return client.submit(work, job, number, key=job.state_id(number), pure=False)

    # First the tables: several shards would race for those that are not there yet.
    ended = {job.state_id(TABLES): begin(TABLES).result()}
    if any(one.code for one in ended.values()):
        return ended
    to_come = iter(range(job.shards))
    # A cluster may have more workers than the vendor's budget was shared out to.
    running = as_completed([begin(next(to_come)) for _ in range(job.at_once)])
    for done in running:
        ended[done.key] = done.result()
        for number in islice(to_come, 1):
            running.add(begin(number))
    return ended


def main() -> int:
    """Run a tap in shards; 1 when one of them fails, which does not stop the others."""
    parser = arguments(__doc__)
    parser.add_argument("--scheduler", help="address of a cluster; without it, workers begin here")
    options = vars(parser.parse_args())
    scheduler = options.pop("scheduler")
    job = job_of(parser, options)
    with contextlib.ExitStack() as stack:
        cluster = scheduler or stack.enter_context(
            LocalCluster(n_workers=job.at_once, threads_per_worker=1, dashboard_address=":0")
        )
        ended = run(stack.enter_context(Client(cluster)), job)
    for state_id, one in sorted(ended.items()):
        print(f"{state_id}: {f'failed with {one.code}' if one.code else 'done'}, {one.worker}")
    return int(any(one.code for one in ended.values()))


if __name__ == "__main__":
    sys.exit(main())
