"""The Meltano commands of shards: each has its own state id and run folder; all share a schema."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TABLES = -1  # instead of a shard's number: the run that creates the tables and reads no data
# The shard of the run that creates the tables: so small that no partition belongs to it.
EMPTY_SHARD = f"1/{10**18}"
STOP_S = 60


@dataclass(frozen=True)
class Job:
    """A tap and a target, in ``shards`` parts of which ``workers`` run at a time.

    ``budget`` is the number of requests that the account may start in a minute. With None, the
    tap's own setting applies to each shard.
    """

    tap: str
    target: str = "target-postgres"
    shards: int = 2
    workers: int = 2
    environment: str = "prod"
    budget: int | None = None

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ValueError: there is no shard or worker, or less than one request a minute for each.
        """
        if min(self.shards, self.workers) < 1:
            msg = "at least one shard and one worker are needed"
            raise ValueError(msg)
        if self.budget is not None and self.budget < self.max_running:
            most = self.max_running
            msg = f"{self.budget} requests a minute are not enough for {most} shards at a time"
            raise ValueError(msg)

    @property
    def max_running(self) -> int:
        """The maximum number of shards that run at a time."""
        return min(self.shards, self.workers)

    def state_id(self, number: int) -> str:
        """The state id: that of ``meltano run``, with a suffix if there are several shards.

        The number of shards is part of it, since another number divides the partitions differently.
        """
        whole = f"{self.environment}:{self.tap}-to-{self.target}"
        if number == TABLES:
            return f"{whole}:tables"
        return whole if self.shards == 1 else f"{whole}:shard-{number}-of-{self.shards}"

    @property
    def state_ids(self) -> list[str]:
        """The state ids of all shards, by number."""
        return [self.state_id(number) for number in range(self.shards)]

    def command(self, number: int) -> list[str]:
        """Return the command of a shard.

        It is ``meltano el``, which has a run folder per state id, and not ``meltano run``, which
        has one per tap. It has no ``--force``, so that Meltano refuses a second run of the shard.
        """
        install = [] if number == TABLES else ["--no-install"]
        return [
            *("meltano", f"--environment={self.environment}", "el"),
            *(f"--state-id={self.state_id(number)}", *install, self.tap, self.target),
        ]

    def settings(self, number: int) -> dict[str, str]:
        """Return the environment variables that the command needs."""
        prefix = self.tap.upper().replace("-", "_")
        shard = EMPTY_SHARD if number == TABLES else f"{number}/{self.shards}"
        own = {f"{prefix}_SHARD": shard}
        if self.budget is not None:
            own[f"{prefix}_REQUESTS_PER_MINUTE"] = str(self.budget // self.max_running)
        return own

    def shell_line(self, number: int) -> str:
        """Return variables and command as one line for a shell in this folder."""
        own = [f"{name}={value}" for name, value in self.settings(number).items()]
        return shlex.join(["env", *own, *self.command(number)])

    def run(self, number: int) -> int:
        """Run a shard, or create the tables, in a separate process; return the exit code."""
        # Meltano must not import the engine's packages.
        inherited = {name: v for name, v in os.environ.items() if name != "PYTHONPATH"}
        environment = {**inherited, **self.settings(number)}
        return exit_code_of(self.command(number), ROOT, environment)


def exit_code_of(command: list[str], folder: Path, environment: dict[str, str]) -> int:
    """Run a command and return its exit code. If this process is stopped, stop the command too.

    The command gets SIGTERM and is not killed, so that Meltano can end tap and target, and a
    runner its workers.
    """
    with subprocess.Popen(command, cwd=folder, env=environment) as process:
        try:
            return process.wait()
        except BaseException:
            process.terminate()
            process.wait(STOP_S)
            raise


def arguments(description: str | None) -> argparse.ArgumentParser:
    """Return a parser for the options of a runner, named like the fields of ``Job``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("tap")
    parser.add_argument("--target", default="target-postgres", help="(%(default)s)")
    parser.add_argument("--environment", default="prod", help="Meltano's (%(default)s)")
    parser.add_argument("--shards", type=int, default=4, metavar="N", help="(%(default)s)")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="(%(default)s)")
    parser.add_argument(
        "--budget",
        type=int,
        metavar="N",
        help="requests a minute of the account, divided among the running shards",
    )
    return parser


def job_of(parser: argparse.ArgumentParser, options: dict[str, Any]) -> Job:
    """Return the job of these options; report wrong numbers like any other wrong option."""
    try:
        return Job(**options)
    except ValueError as error:
        parser.error(str(error))


def main() -> None:
    """Print the commands for an engine of your own: first the tables, then one line per shard."""
    parser = arguments(main.__doc__)
    job = job_of(parser, vars(parser.parse_args()))
    for number in (TABLES, *range(job.shards)):
        print(job.shell_line(number))


if __name__ == "__main__":
    main()
