"""Real engines with two worker processes, from the sandbox through Meltano into PostgreSQL."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row
from sandbox.faults import Fault
from sandbox.kindmetrics import Kindmetrics
from tap_kindmetrics.tap import TapKindmetrics
from tap_kit.rows.keys import shard_of

from orchestration.shards import TABLES, Job
from orchestration.trial import SCHEMA, STREAMS, Trial, trial
from tests.kindmetrics.site import TOKEN
from tests.processes import collected
from tests.singer import Loader, Output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sandbox.server import App, Receive, Scope, Send

    from tests.end_to_end.project import Project

# One worker for all tests: each run uses both cores.
pytestmark = [pytest.mark.xdist_group("engines"), pytest.mark.timeout(1800)]

DAYS = {"TAP_KINDMETRICS_START_DATE": "2024-02-01", "TAP_KINDMETRICS_END_DATE": "2024-02-05"}
LATER = {**DAYS, "TAP_KINDMETRICS_END_DATE": "2024-02-07"}
THREE = Job("tap-kindmetrics", shards=3, workers=2)
OPTIONS = ("--shards=3", "--workers=2")
AIRFLOW = Path(__file__).parents[2] / "orchestration" / ".envs" / "airflow" / "bin" / "airflow"


class Rendezvous:
    """Proves that two shards run at a time: the first one waits for another."""

    patience_s = 150

    def __init__(self) -> None:
        self.shards: set[int] = set()
        self.waited_in_vain = False

    def serve(self, app: App) -> App:
        """Return the app, with requests that wait at the rendezvous."""

        async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
            if found := re.fullmatch(r"/api/domains/(\d+)/pages", scope.get("path", "")):
                await self._wait_for_another(shard_of([int(found[1]), "all"], THREE.shards))
            await app(scope, receive, send)

        return waiting

    async def _wait_for_another(self, shard: int) -> None:
        self.shards.add(shard)
        deadline = time.monotonic() + self.patience_s
        while len(self.shards) < 2 and not self.waited_in_vain:
            await asyncio.sleep(0.05)
            self.waited_in_vain = time.monotonic() > deadline


@pytest.fixture
def rendezvous() -> Rendezvous:
    return Rendezvous()


@pytest.fixture
def here(project: Project, rendezvous: Rendezvous) -> Iterator[Trial]:
    """An account with six small domains and a PostgreSQL server."""
    now = datetime(2024, 2, 29, 12, tzinfo=timezone.utc)
    api = Kindmetrics(token=TOKEN, now=now, domains=6, visitors_per_day=12, pages_per_day=6)
    with trial(api, rendezvous.serve, project.folder) as here:
        here.environment.update(DAYS, TAP_KINDMETRICS_REQUEST_TIMEOUT="300")
        yield here


def assert_all_rows_loaded(here: Trial, days: Mapping[str, str] = DAYS) -> None:
    """Check that one schema has the rows that one run reads, each once."""
    loader = Loader()
    settings = {name.removeprefix("TAP_KINDMETRICS_").lower(): v for name, v in days.items()}
    url = here.environment["TAP_KINDMETRICS_API_URL"]
    with collected() as written:
        TapKindmetrics(config={"api_url": url, "api_token": TOKEN, **settings}).execute()
    loader.load(Output(written.getvalue().decode()))
    with psycopg.connect(here.postgres.url, row_factory=dict_row) as connection:
        for stream, rows in loader.content.items():
            columns = sql.SQL(", ").join(map(sql.Identifier, next(iter(rows.values()))))
            table = sql.Identifier(SCHEMA, stream)
            query = sql.SQL("SELECT {} FROM {}").format(columns, table)
            arrived = connection.execute(query).fetchall()
            assert comparable(arrived) == comparable(rows.values()), stream
        schemas = connection.execute(
            "SELECT DISTINCT table_schema AS name FROM information_schema.tables "
            "WHERE table_name = ANY(%s) AND table_schema <> 'information_schema'",
            [list(STREAMS)],
        ).fetchall()
    assert [schema["name"] for schema in schemas] == [SCHEMA]


def comparable(rows: Any) -> list[list[str]]:
    return sorted([str(row[name]) for name in sorted(row)] for row in rows)


def states(here: Trial) -> set[str]:
    with psycopg.connect(here.postgres.url) as connection:
        return {state_id for (state_id,) in connection.execute("SELECT state_id FROM state")}


def first_days(here: Trial) -> dict[str, str]:
    """Return the first requested day of each path."""
    requested = [
        (r.path, dict(r.query)["from"]) for r in here.api.log.requests if "from" in r.target
    ]
    return {one: min(day for path, day in requested if path == one) for one, _ in requested}


def test_dask_reads_all_rows_once_and_resumes_with_another_number_of_shards(
    here: Trial, rendezvous: Rendezvous, capfd: pytest.CaptureFixture[str]
) -> None:
    """One stream of one shard fails; the other number of shards reads it from its beginning."""
    here.api.faults.append(Fault("status", status=422, path="/api/domains/2/countries"))
    assert here.engine("dask", *OPTIONS) == 1
    printed = capfd.readouterr().out
    assert TOKEN not in printed
    assert not rendezvous.waited_in_vain, "one shard after the other"
    line = re.compile(
        r"^prod:\S+:shard-(\d)-of-3: (done|failed with 1), .* process (\d+)$", re.MULTILINE
    )
    ends = {int(number): (end, process) for number, end, process in line.findall(printed)}
    lost = shard_of([2, "all"], THREE.shards)
    wanted = {n: "failed with 1" if n == lost else "done" for n in range(THREE.shards)}
    assert {number: end for number, (end, _) in ends.items()} == wanted
    assert len({process for _, process in ends.values()}) == 2, "two workers"
    assert states(here) == {*THREE.state_ids, THREE.state_id(TABLES)}
    folders = {path.name for path in (here.project / ".meltano" / "run" / "elt").iterdir()}
    assert len(folders) >= 4, "a run folder for each"

    here.api.faults.clear()
    here.api.log.clear()
    assert here.run("orchestration.reshard", "tap-kindmetrics", "3", "2") == 0
    assert here.engine("dask", "--shards=2", "--workers=2", **LATER) == 0
    days = first_days(here)
    assert days.pop("/api/domains/2/countries") == "2024-02-01"
    assert set(days.values()) == {"2024-02-03"}, "only the lookback is read again"
    assert_all_rows_loaded(here, LATER)


@pytest.mark.skipif(not AIRFLOW.exists(), reason="no Airflow: `make airflow` installs it")
def test_airflow_reads_all_rows_once(
    here: Trial, rendezvous: Rendezvous, capfd: pytest.CaptureFixture[str]
) -> None:
    assert here.engine("airflow", *OPTIONS) == 0
    printed = capfd.readouterr().out
    assert not rendezvous.waited_in_vain, "one shard after the other"
    for number in range(3):
        assert re.search(rf"^shard {number}: success, process \d+$", printed, re.MULTILINE)
    assert_all_rows_loaded(here)
    assert states(here) == {*THREE.state_ids, THREE.state_id(TABLES)}
    assert processes_of(here.project) == []


@pytest.mark.skipif(not AIRFLOW.exists(), reason="no Airflow: `make airflow` installs it")
def test_killed_runner_leaves_no_airflow_process(here: Trial) -> None:
    runner = subprocess.Popen(
        [sys.executable, "-m", "orchestration.airflow_runner", "tap-kindmetrics"],
        cwd=here.project,
        env=here.environment,
    )
    wait_until(lambda: len(processes_of(here.project)) > 3)  # more than the setup commands start
    runner.kill()
    runner.wait()
    wait_until(lambda: processes_of(here.project) == [])


def wait_until(is_so: Callable[[], bool], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def processes_of(project: Path) -> list[str]:
    """Return the processes whose environment names the project's Airflow."""
    mark = f"AIRFLOW_HOME={project}".encode()
    return [
        process.name for process in Path("/proc").glob("[0-9]*") if mark in environment_of(process)
    ]


def environment_of(process: Path) -> bytes:
    try:
        return (process / "environ").read_bytes()
    except OSError:  # it has ended, or is another user's
        return b""
