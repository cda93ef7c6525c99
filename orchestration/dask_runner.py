"""A tap in shards on Dask: worker processes on this machine, or those of a cluster that is there.

The workers of a cluster need what this machine has: this folder with Meltano and its plugins, the
same environment variables, and ``MELTANO_DATABASE_URI`` with a database that all of them reach.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from distributed import Client, LocalCluster, as_completed

from orchestration.shards import TABLES, Job, arguments

if TYPE_CHECKING:
    from distributed import Future


def run(client: Client, job: Job) -> dict[str, int]:
    """The exit codes by state id: of the tables, and if these could be made, of all shards."""

    def begin(number: int) -> Future:
        return client.submit(job.run, number, key=job.state_id(number), pure=False)

    # First the tables: several shards would race for those that are not there yet.
    codes = {job.state_id(TABLES): begin(TABLES).result()}
    if any(codes.values()):
        return codes
    to_come = iter(range(job.shards))
    # A cluster may have more workers than the vendor's budget was shared out to.
    running = as_completed([begin(next(to_come)) for _ in range(job.at_once)])
    for done in running:
        codes[done.key] = done.result()
        for number in (n for n in [next(to_come, None)] if n is not None):
            running.add(begin(number))
    return codes


def main() -> int:
    """Run a tap in shards; 1 when one of them fails, which does not stop the others."""
    parser = arguments(__doc__)
    parser.add_argument("--scheduler", help="address of a cluster; without it, workers begin here")
    options = vars(parser.parse_args())
    scheduler = options.pop("scheduler")
    job = Job(**options)
    with contextlib.ExitStack() as stack:
        cluster = scheduler or stack.enter_context(
            LocalCluster(n_workers=job.at_once, threads_per_worker=1, dashboard_address=None)
        )
        codes = run(stack.enter_context(Client(cluster)), job)
    for state_id, code in sorted(codes.items()):
        print(f"{state_id}: {'done' if code == 0 else f'failed with {code}'}")
    return int(any(codes.values()))


if __name__ == "__main__":
    sys.exit(main())
