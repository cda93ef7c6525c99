"""Runs of the taps in which something is the matter, and all that they say of it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.faults import Fault
from sandbox.khoros import Khoros
from sandbox.kindmetrics import Kindmetrics
from sandbox.kissmetrics import FieldRules, Kissmetrics, Sizes
from sandbox.server import running

from tests.khoros_analytics.site import ACCESS
from tests.khoros_analytics.site import NOW as KHOROS_NOW
from tests.kindmetrics.responses import Responses
from tests.kindmetrics.site import NOW, TOKEN
from tests.processes import clean_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Scene = Callable[[Path], str]

DAYS = {"start_date": "2024-02-01", "end_date": "2024-02-02"}
SINCE_LATER = {"start_date": "2024-02-03", "end_date": "2024-02-02"}
KIND, KISS, KHOROS = "tap-kindmetrics", "tap-kissmetrics", "tap-khoros-analytics"


@dataclass(frozen=True)
class Run:
    """A tap about to run in a folder of its own."""

    tap: str
    folder: Path
    config: dict[str, Any]

    def begun(self, *arguments: str, stdout: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        """The process."""
        self.folder.mkdir(exist_ok=True)
        file = self.folder / "config.json"
        file.write_text(json.dumps({**DAYS, **self.config}), encoding="utf-8")
        return subprocess.Popen(
            [str(Path(sys.executable).with_name(self.tap)), "--config", str(file), *arguments],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment(),
        )

    def said(self, *arguments: str) -> str:
        """All that the tap says on stderr, to its end."""
        with self.begun(*arguments) as process:
            return process.communicate(timeout=240)[1]


def wrong_settings(folder: Path) -> str:
    """Each in a run of its own, since some hide others."""
    wrong: list[dict[str, Any]] = [
        {"lookback_day": 3, "max_concurrency": "4", "shard": "2/2"},
        {"api_token": TOKEN, "start_date": "yesterday"},
        {"api_token": TOKEN, **SINCE_LATER},
    ]
    runs = [Run(KIND, folder / f"wrong-{n}", config) for n, config in enumerate(wrong)]
    return "".join(run.said() for run in runs)


def refused(folder: Path) -> str:
    """A wrong token; a wrong password; a wrong company key."""
    kind, khoros = Kindmetrics(token=TOKEN, now=NOW), Khoros(now=KHOROS_NOW)
    with running(kind.app) as server, khoros.serving() as at:
        found = [Run(KIND, folder / "token", {"api_url": server.url, "api_token": "wrong"}).said()]
        good = {"username": "analytics-user", "password": "demo-password", "api_url": at.api}
        for wrong in ({"password": "wrong"}, {"company_key": "wrong"}):
            config = {**good, "company_key": "demo-company", **wrong}
            found.append(Run(KHOROS, folder / "khoros", config).said())
    return "".join(found)


def hiccups(folder: Path) -> str:
    """A status that a second try cures, a domain that is refused, and a vendor that is down."""
    api = Kindmetrics(
        token=TOKEN, now=NOW, domains=2, ended_domains=(2,), visitors_per_day=12, pages_per_day=6
    )
    with running(api.app) as server:
        run = Run(KIND, folder / "hiccups", {"api_url": server.url, "api_token": TOKEN})
        api.faults.append(Fault("status", status=503, retry_after=0, attempts=1, path="/goals"))
        some = run.said()
        api.faults.append(Fault("wrong_shape", path="/countries", attempts=1))
        api.faults.append(Fault("status", status=503, retry_after=0, path="/pages"))
        return some + run.said()


def a_long_wait(folder: Path) -> str:
    """An answer that takes longer than the ten seconds after which a line comes."""
    api = Kindmetrics(token=TOKEN, now=NOW, domains=1, visitors_per_day=12, pages_per_day=6)
    with running(api.app) as server:
        api.faults.append(Fault("stall", wait_ms=11_000, path="/countries", first=1))
        return Run(KIND, folder / "wait", {"api_url": server.url, "api_token": TOKEN}).said()


def nobody_there(folder: Path) -> str:
    """No server at all: stopped before the first answer."""
    config = {"api_url": "http://127.0.0.1:9", "api_token": TOKEN}
    return said_till_stopped(Run(KIND, folder / "nobody", config))


def down_in_the_middle(folder: Path) -> str:
    """A server that is down after a while: stopped when there are bookmarks already."""
    api = Kindmetrics(token=TOKEN, now=NOW, domains=1, visitors_per_day=12, pages_per_day=6)
    with running(api.app) as server:
        api.faults.append(Fault("status", status=503, path="/pages"))
        return said_till_stopped(
            Run(KIND, folder / "down", {"api_url": server.url, "api_token": TOKEN})
        )


def said_till_stopped(run: Run) -> str:
    """All that a run says that is stopped by a signal in its first pause."""
    with run.begun() as process:
        assert process.stderr is not None
        heard = line = process.stderr.readline()
        while line and "try 2" not in line:
            line = process.stderr.readline()
            heard += line
        process.send_signal(signal.SIGTERM)
        return heard + process.communicate(timeout=240)[1]


def nobody_reads(folder: Path) -> str:
    """The target is gone; and a state that no tap has written."""
    api = Kindmetrics(token=TOKEN, now=NOW, visitors_per_day=12, pages_per_day=6)
    with running(api.app) as server:
        run = Run(KIND, folder / "reads", {"api_url": server.url, "api_token": TOKEN})
        with run.begun(stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            heard = process.stderr.read()
        state = folder / "state.json"
        context = {"context": {"domain_id": 1, "segment": "all"}, "replication_key": "date"}
        entry = {"partitions": [{**context, "replication_key_value": "soon"}]}
        state.write_text(json.dumps({"bookmarks": {"pages": entry}}))
        return heard + run.said("--state", str(state))


def other_answers(folder: Path) -> str:
    """A field of another type."""
    with Responses({"/api/domains/1/countries": [{"name": "Chad", "visitors": "many"}]}) as server:
        config = {"api_url": server.url, "api_token": TOKEN}
        return Run(KIND, folder / "answers", config).said()


def new_fields_and_reports(folder: Path) -> str:
    """A field that nobody knows, and reports that cannot be run."""
    api = Kissmetrics(token=TOKEN, sizes=Sizes(reports=3), fields=FieldRules(extra_field=True))
    with api.serving() as at:
        config = {"api_url": at.core, "query_url": at.query, "api_token": TOKEN}
        return Run(KISS, folder / "fields", {**config, "poll_interval_ms": 1}).said()


def failing_jobs(folder: Path) -> str:
    """An export that fails whenever it is asked for."""
    api = Khoros(
        now=KHOROS_NOW,
        username=ACCESS["username"],
        password=ACCESS["password"],
        company_key=ACCESS["company_key"],
        failing_runs={"author": -1},
    )
    with api.serving() as at:
        config = {
            **ACCESS,
            "api_url": at.api,
            "poll_interval_ms": 1,
            "requests_per_minute": 1_000_000,
        }
        return Run(KHOROS, folder / "jobs", config).said()


SCENES: tuple[Scene, ...] = (
    a_long_wait,
    wrong_settings,
    refused,
    hiccups,
    nobody_there,
    down_in_the_middle,
    nobody_reads,
    other_answers,
    new_fields_and_reports,
    failing_jobs,
)


def all_said(folder: Path) -> Iterator[str]:
    """What was said in each scene; several at a time, since each mostly waits."""
    with ThreadPoolExecutor(3) as pool:
        yield from pool.map(lambda scene: scene(folder), SCENES)
