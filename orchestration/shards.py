"""What a shard is to Meltano: a state id and a run folder of its own, and one schema for all."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TABLES = -1  # instead of a shard's number: the run that makes the tables and reads nothing
# The partitions of the run that makes the tables: one in so many that there is none.
NOBODYS = f"1/{10**18}"
STOP_S = 60


@dataclass(frozen=True)
class Job:
    """A tap and a target, in ``shards`` parts of which ``workers`` run at a time.

    ``budget`` is how many requests the account may begin in a minute; None: the tap's own setting
    holds for each of them.
    """

    tap: str
    target: str = "target-postgres"
    shards: int = 2
    workers: int = 2
    environment: str = "prod"
    budget: int | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be shared out.

        Raises:
            ValueError: there is nobody to work, or less than a request a minute for each.
        """
        if min(self.shards, self.workers) < 1:
            msg = "at least one shard and one worker are needed"
            raise ValueError(msg)
        if self.budget is not None and self.budget < self.at_once:
            msg = f"{self.budget} requests a minute are not enough for {self.at_once} at a time"
            raise ValueError(msg)

    @property
    def at_once(self) -> int:
        """How many of the shards are under way at a time, at the most."""
        return min(self.shards, self.workers)

    def state_id(self, number: int) -> str:
        """The id that ``meltano run`` gives it with ``--state-id-suffix``; with one shard without.

        The number of shards is in it: another number is another division of the partitions.
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
        """``meltano el``, since it has a run folder for each state id; ``meltano run`` has not.

        Without ``--force``: what holds a second run of the same shard back is to hold it back.
        """
        install = [] if number == TABLES else ["--no-install"]
        return [
            *("meltano", f"--environment={self.environment}", "el"),
            *(f"--state-id={self.state_id(number)}", *install, self.tap, self.target),
        ]

    def settings(self, number: int) -> dict[str, str]:
        """What is added to the environment of the command."""
        prefix = self.tap.upper().replace("-", "_")
        shard = NOBODYS if number == TABLES else f"{number}/{self.shards}"
        own = {f"{prefix}_SHARD": shard}
        if self.budget is not None:
            own[f"{prefix}_REQUESTS_PER_MINUTE"] = str(self.budget // self.at_once)
        return own

    def line(self, number: int) -> str:
        """Settings and command as a line for a shell in this folder."""
        own = [f"{name}={value}" for name, value in self.settings(number).items()]
        return shlex.join(["env", *own, *self.command(number)])

    def run(self, number: int) -> int:
        """Run a shard, or make the tables, in a process of its own; its exit code."""
        # The engine's own packages are none of Meltano's business.
        inherited = {name: v for name, v in os.environ.items() if name != "PYTHONPATH"}
        environment = {**inherited, **self.settings(number)}
        return ended(self.command(number), ROOT, environment)


def ended(command: list[str], folder: Path, environment: dict[str, str]) -> int:
    """The exit code of a command. Whoever stops us stops it, and not with a kill.

    Killed, Meltano could end neither tap nor target, nor a runner its workers.
    """
    with subprocess.Popen(command, cwd=folder, env=environment) as process:
        try:
            return process.wait()
        except BaseException:
            process.terminate()
            process.wait(STOP_S)
            raise


def arguments(description: str | None) -> argparse.ArgumentParser:
    """The options of what runs shards; those of ``Job`` by the same names."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("tap")
    parser.add_argument("--target", default="target-postgres", help="(%(default)s)")
    parser.add_argument("--environment", default="prod", help="Meltano's (%(default)s)")
    parser.add_argument("--shards", type=int, default=4, metavar="N", help="(%(default)s)")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="(%(default)s)")
    parser.add_argument(
        "--budget", type=int, metavar="N", help="requests a minute of the account, shared out"
    )
    return parser


def job_of(parser: argparse.ArgumentParser, options: dict[str, Any]) -> Job:
    """The job of these options; what cannot be shared out is told as any wrong option is."""
    try:
        return Job(**options)
    except ValueError as error:
        parser.error(str(error))


def main() -> None:
    """Print the lines for an engine of one's own: the tables first, then a line a shard."""
    parser = arguments(main.__doc__)
    job = job_of(parser, vars(parser.parse_args()))
    for number in (TABLES, *range(job.shards)):
        print(job.line(number))


if __name__ == "__main__":
    main()
