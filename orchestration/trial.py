"""``make trial``: run a tap in shards on an engine, from the sandbox into a new PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from sandbox.kindmetrics import Kindmetrics
from sandbox.postgres import NoPostgresError, Postgres, postgres_running
from sandbox.server import App, running

from orchestration.shards import ROOT, exit_code_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ENGINES = ("dask", "airflow")
FIRST, LAST = date(2026, 1, 1), date(2026, 1, 31)
SCHEMA = "tap_kindmetrics"
STREAMS = (
    *("account", "domains", "current_visitors", "domain_stats", "pages", "entry_pages"),
    *("sources", "referrers", "countries", "goals"),
)


@dataclass(frozen=True)
class Trial:
    """A vendor, a warehouse that also stores Meltano's state, and the variables that name both."""

    api: Kindmetrics
    postgres: Postgres
    environment: dict[str, str]
    project: Path = ROOT

    def run(self, *command: str, **settings: str) -> int:
        """Run ``python -m`` with these arguments in a separate process; return the exit code."""
        environment = {**self.environment, **settings}
        return exit_code_of([sys.executable, "-m", *command], self.project, environment)

    def engine(self, name: str, *options: str, **settings: str) -> int:
        """Run the tap in shards on an engine; return the exit code."""
        return self.run(f"orchestration.{name}_runner", "tap-kindmetrics", *options, **settings)

    def count(self, stream: str) -> int:
        """Return the number of rows of a table."""
        query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(SCHEMA, stream))
        with psycopg.connect(self.postgres.url) as connection:
            (rows,) = connection.execute(query).fetchone() or (0,)
        return int(rows)


@contextlib.contextmanager
def trial(
    api: Kindmetrics, serve: Callable[[App], App] = lambda app: app, project: Path = ROOT
) -> Iterator[Trial]:
    """Serve the vendor (its app wrapped by ``serve``) and the warehouse until the block ends."""
    with running(serve(api.app)) as server, postgres_running() as postgres:
        settings = {
            **postgres.target_settings,
            "TAP_KINDMETRICS_API_URL": server.url,
            "TAP_KINDMETRICS_API_TOKEN": api.token,
            "TAP_KINDMETRICS_START_DATE": FIRST.isoformat(),
            "TAP_KINDMETRICS_END_DATE": LAST.isoformat(),
            # Shards on several machines store their state in a database like this one.
            "MELTANO_DATABASE_URI": postgres.url.replace("postgresql:", "postgresql+psycopg:", 1),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        others = ("TAP_", "TARGET_", "MELTANO_")  # the user's settings for other runs
        own = {name: v for name, v in os.environ.items() if not name.startswith(others)}
        yield Trial(api, postgres, {**own, **settings}, project)


def main() -> int:
    """Run the trial and print how many rows arrived."""
    engine, *options = sys.argv[1:] or ENGINES[:1]
    if engine not in ENGINES:
        sys.stderr.write(f"unknown engine {engine}; use one of: {', '.join(ENGINES)}\n")
        return 1
    try:
        with trial(Kindmetrics(domains=12, today=LAST)) as here:
            code = here.engine(engine, *options)
            for stream in STREAMS if code == 0 else ():
                print(f"{SCHEMA}.{stream:<20}{here.count(stream):>8,} rows")
    except NoPostgresError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
