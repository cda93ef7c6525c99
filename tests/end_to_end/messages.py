"""Scenarios in which a tap logs warnings and errors, and its stderr in each."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.exchange import Response
from sandbox.faults import Fault
from sandbox.khoros import Khoros
from sandbox.kindmetrics import Kindmetrics
from sandbox.kissmetrics import FieldRules, Kissmetrics, Sizes
from sandbox.kissmetrics.raw import RawExport, RawSizes
from sandbox.server import running

from tests.khoros_analytics.site import ACCESS
from tests.khoros_analytics.site import NOW as KHOROS_NOW
from tests.kindmetrics.responses import Responses
from tests.kindmetrics.site import NOW, TOKEN
from tests.processes import clean_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Scenario = Callable[[Path], str]

DAYS = {"start_date": "2024-02-01", "end_date": "2024-02-02"}
SINCE_LATER = {"start_date": "2024-02-03", "end_date": "2024-02-02"}
KIND, KISS, KHOROS = "tap-kindmetrics", "tap-kissmetrics", "tap-khoros-analytics"


@dataclass(frozen=True)
class Run:
    """A tap and its settings, to run in its own folder."""

    tap: str
    folder: Path
    config: dict[str, Any]
    environment: dict[str, str] | None = None

    def started(self, *arguments: str, stdout: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        """Start the tap and return the process."""
        self.folder.mkdir(exist_ok=True)
        file = self.folder / "config.json"
        file.write_text(json.dumps({**DAYS, **self.config}), encoding="utf-8")
        return subprocess.Popen(
            [str(Path(sys.executable).with_name(self.tap)), "--config", str(file), *arguments],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment(self.environment),
        )

    def stderr(self, *arguments: str, stdout: int = subprocess.DEVNULL) -> str:
        """Run the tap to its end and return its stderr."""
        with self.started(*arguments, stdout=stdout) as process:
            return process.communicate(timeout=240)[1]


def wrong_settings(folder: Path) -> str:
    """Invalid settings, in several runs, since some errors hide others."""
    wrong: list[dict[str, Any]] = [
        {"lookback_day": 3, "max_concurrency": "4", "shard": "2/2"},
        {
            "api_token": TOKEN,
            "start_date": "yesterday",
            "batch_config": {"storage": {"root": "s3://bucket"}},
        },
        {"api_token": TOKEN, **SINCE_LATER},
        {"api_token": TOKEN, "start_date": "9000-01-01", "end_date": "9999-01-01"},
        {"api_token": TOKEN, "start_date": None},
    ]
    runs = [Run(KIND, folder / f"wrong-{n}", config) for n, config in enumerate(wrong)]
    return "".join(run.stderr() for run in runs)


def wrong_inputs(folder: Path) -> str:
    """Invalid files, an output that cannot be written, and an invalid variable."""
    folder = folder / "inputs"
    folder.mkdir()
    partition = {"context": {"domain_id": 1, "segment": "all"}}
    catalog = {"streams": [{"tap_stream_id": "pages", "schema": {}, "metadata": []}]}
    wrong: list[tuple[str, str]] = [
        ("--config", "{"),
        ("--state", "{"),
        ("--state", json.dumps({"completed": {"bookmarks": {}}, "partial": {"bookmarks": {}}})),
        ("--state", json.dumps({"bookmarks": {"pages": {"partitions": [partition] * 2}}})),
        ("--catalog", "{"),
        ("--catalog", json.dumps(catalog)),
        (
            "--catalog",
            json.dumps({"streams": [{**catalog["streams"][0], "key_properties": ["x"]}]}),
        ),
    ]
    found = []
    for number, (option, text) in enumerate(wrong):
        file = folder / f"{number}.json"
        file.write_text(text, encoding="utf-8")
        run = Run(KIND, folder / str(number), {"api_token": TOKEN})
        found.append(run.stderr(option, str(file)))
    run = Run(KIND, folder / "output", {"api_token": TOKEN})
    with Path("/dev/full").open("wb") as full:
        found.append(run.stderr("--discover", stdout=full.fileno()))
    closed = ["sh", "-c", 'exec "$0" --about >&-', str(Path(sys.executable).with_name(KIND))]
    found.append(subprocess.run(closed, stderr=subprocess.PIPE, text=True, check=False).stderr)
    listed = Run(KIND, folder / "env", {}, {"TAP_KINDMETRICS_DOMAIN_IDS": "100,107"})
    return "".join([*found, listed.stderr("--config=ENV")])


def rejected_credentials(folder: Path) -> str:
    """A wrong token; a wrong password; a wrong company key."""
    kind, khoros = Kindmetrics(token=TOKEN, now=NOW), Khoros(now=KHOROS_NOW)
    with running(kind.app) as server, khoros.serving() as at:
        found = [
            Run(KIND, folder / "token", {"api_url": server.url, "api_token": "wrong"}).stderr()
        ]
        good = {"username": "analytics-user", "password": "demo-password", "api_url": at.api}
        for wrong in ({"password": "wrong"}, {"company_key": "wrong"}):
            config = {**good, "company_key": "demo-company", **wrong}
            found.append(Run(KHOROS, folder / "khoros", config).stderr())
    return "".join(found)


def temporary_errors(folder: Path) -> str:
    """A status that a retry cures, a domain without access, and a vendor that is down."""
    api = Kindmetrics(
        token=TOKEN, now=NOW, domains=2, ended_domains=(2,), visitors_per_day=12, pages_per_day=6
    )
    with running(api.app) as server:
        batches = {"storage": {"root": str(folder / "errors" / "batches")}}
        settings = {"api_url": server.url, "api_token": TOKEN, "batch_config": batches}
        run = Run(KIND, folder / "errors", settings)
        api.faults.append(Fault("status", status=503, retry_after=0, attempts=1, path="/goals"))
        some = run.stderr()
        api.faults.append(Fault("wrong_shape", path="/countries", attempts=1))
        api.faults.append(Fault("status", status=503, retry_after=0, path="/pages"))
        return some + run.stderr()


def slow_response(folder: Path) -> str:
    """A response that takes longer than ten seconds, after which the tap logs a line."""
    api = Kindmetrics(token=TOKEN, now=NOW, domains=1, visitors_per_day=12, pages_per_day=6)
    with running(api.app) as server:
        api.faults.append(Fault("stall", wait_ms=11_000, path="/countries", first=1))
        return Run(KIND, folder / "wait", {"api_url": server.url, "api_token": TOKEN}).stderr()


def no_server(folder: Path) -> str:
    """No server: the run is stopped before the first response."""
    config = {"api_url": "http://127.0.0.1:9", "api_token": TOKEN}
    return stderr_until_stopped(Run(KIND, folder / "no_server", config))


def server_down_later(folder: Path) -> str:
    """A server that is down later: the run is stopped when it has written bookmarks."""
    api = Kindmetrics(token=TOKEN, now=NOW, domains=1, visitors_per_day=12, pages_per_day=6)
    with running(api.app) as server:
        api.faults.append(Fault("status", status=503, path="/pages"))
        return stderr_until_stopped(
            Run(KIND, folder / "down", {"api_url": server.url, "api_token": TOKEN})
        )


def stderr_until_stopped(run: Run) -> str:
    """Return the stderr of a run that a signal stops in its first pause."""
    with run.started() as process:
        assert process.stderr is not None
        stderr = line = process.stderr.readline()
        while line and "try 2" not in line:
            line = process.stderr.readline()
            stderr += line
        process.send_signal(signal.SIGTERM)
        return stderr + process.communicate(timeout=240)[1]


def target_gone(folder: Path) -> str:
    """A target that has ended, and a state with an invalid bookmark."""
    api = Kindmetrics(token=TOKEN, now=NOW, visitors_per_day=12, pages_per_day=6)
    with running(api.app) as server:
        run = Run(KIND, folder / "reads", {"api_url": server.url, "api_token": TOKEN})
        with run.started(stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            stderr = process.stderr.read()
        state = folder / "state.json"
        context = {"context": {"domain_id": 1, "segment": "all"}, "replication_key": "date"}
        entry = {"partitions": [{**context, "replication_key_value": "soon"}]}
        state.write_text(json.dumps({"bookmarks": {"pages": entry}}))
        return stderr + run.stderr("--state", str(state))


def wrong_type(folder: Path) -> str:
    """A field of another type."""
    with Responses({"/api/domains/1/countries": [{"name": "Chad", "visitors": "many"}]}) as server:
        config = {"api_url": server.url, "api_token": TOKEN}
        return Run(KIND, folder / "types", config).stderr()


def new_fields_and_reports(folder: Path) -> str:
    """An unknown field, and reports that cannot be run."""
    api = Kissmetrics(token=TOKEN, sizes=Sizes(reports=3), fields=FieldRules(extra_field=True))
    with api.serving() as at:
        config = {"api_url": at.core, "query_url": at.query, "api_token": TOKEN}
        return Run(KISS, folder / "fields", {**config, "poll_interval_ms": 1}).stderr()


def failing_jobs(folder: Path) -> str:
    """An export that fails in every attempt."""
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
        return Run(KHOROS, folder / "jobs", config).stderr()


def stored_columns(folder: Path) -> str:
    """Columns that are stored and reused; a broken file, and a folder that cannot be written."""
    with Khoros(**ACCESS, now=KHOROS_NOW).serving() as at:
        config = {**ACCESS, "api_url": at.api, "requests_per_minute": 1_000_000}
        config |= {"poll_interval_ms": 1, "discovery_folder": str(folder / "kept")}
        run = Run(KHOROS, folder / "stored", config)
        stderr = run.stderr("--discover") + run.stderr("--discover")
        (file,) = (folder / "kept").iterdir()
        file.write_text("{")
        no_folder = {**config, "discovery_folder": str(file)}
        stderr += run.stderr("--discover")
        return stderr + Run(KHOROS, folder / "unstored", no_folder).stderr("--discover")


def types_of_columns(folder: Path) -> str:
    """Texts in a column of integers; and types that nothing keeps."""
    names = {"columns": ["AUTHOR_ID", "AUTHOR_NAME"], "types": {"AUTHOR_NAME": "integer"}}
    with Khoros(**ACCESS, now=KHOROS_NOW).serving() as at:
        config = {**ACCESS, "api_url": at.api, "requests_per_minute": 1_000_000}
        config |= {"poll_interval_ms": 1, "exports": {"author": names}}
        typed = Run(KHOROS, folder / "typed", {**config, "discover_columns": False})
        kept = Run(KHOROS, folder / "unkept", {**config, "column_types": "typed"})
        return typed.stderr() + kept.stderr()


def settings_that_only_vendors_know(folder: Path) -> str:
    """Domains that the account lacks, an address of another service, an unknown time zone."""
    kind = Kindmetrics(token=TOKEN, now=NOW, domains=2, visitors_per_day=12, pages_per_day=6)
    khoros = Khoros(**ACCESS, now=KHOROS_NOW)
    exports = {"author": {"columns": ["AUTHOR_ID"]}}
    nowhere = Responses({"/api/domains": Response(404, b"not found")})
    with running(kind.app) as server, khoros.serving() as at, nowhere as other:
        wrong: list[dict[str, Any]] = [
            {
                "api_url": server.url,
                "domain_ids": [1, 2, 77],
                "segments": [{"name": "a", "goal_id": 11}, {"name": "b", "domain_ids": [1, 77]}],
            },
            {"api_url": server.url, "segments": [{"name": "a", "domain_ids": [77]}]},
            {"api_url": server.url, "domain_ids": [77]},
            {"api_url": other.url},
        ]
        runs = [
            Run(KIND, folder / f"vendor-{n}", {"api_token": TOKEN, **config})
            for n, config in enumerate(wrong)
        ]
        stderr = "".join(run.stderr() for run in runs)
        config = {**ACCESS, "api_url": at.api, "discover_columns": False, "exports": exports}
        stderr += Run(KHOROS, folder / "zone", {**config, "timezone": "America/Chicgo"}).stderr()
        khoros.faults.append(Fault("status", status=400, path="report/"))
        return stderr + Run(KHOROS, folder / "rejected", config).stderr()


def files_of_a_raw_export(folder: Path) -> str:
    """A raw data export with a gap, of which a file is missing; and a folder that has none."""
    folder = folder / "export"
    made = RawExport(RawSizes(files=6, gap_every=4))
    made.write(folder)
    (folder / "revisions" / f"{made.revisions[3]}.json").unlink()
    places = [folder, folder / "revisions"]
    exports = [[{"product": "shop", "url": str(place)}] for place in places]
    days = {"start_date": "2026-01-01", "end_date": "2026-01-31"}
    runs = [
        Run(KISS, folder.with_name(f"raw-{number}"), {"raw_exports": one, **days})
        for number, one in enumerate(exports)
    ]
    return "".join(run.stderr() for run in runs)


def versions_of_an_api(folder: Path) -> str:
    """Credentials of no version and of two, and a state of the other one."""
    folder = folder / "versions"
    folder.mkdir()
    context = {"context": {"report_id": "64361c30"}, "replication_key": "start_date"}
    entry = {"partitions": [{**context, "replication_key_value": "2024-02-01T08:00:00+00:00"}]}
    state = folder / "state.json"
    state.write_text(json.dumps({"bookmarks": {"report_results": entry}}))
    core = {"api_token": TOKEN, "api_url": "http://127.0.0.1:9"}
    with Kissmetrics(token=TOKEN, email="a@b.example", password=TOKEN).serving() as at:
        v3 = {"username": "a@b.example", "password": TOKEN, "v3_url": f"{at.query}/v3"}
        fast = {"requests_per_minute": 1_000_000, "poll_interval_ms": 1}
        return "".join(
            [
                Run(KISS, folder / "none", {}).stderr(),
                Run(KISS, folder / "state", v3).stderr("--state", str(state)),
                Run(KISS, folder / "both", {**v3, **core, **fast}).stderr("--test"),
            ]
        )


SCENARIOS: tuple[Scenario, ...] = (
    versions_of_an_api,
    files_of_a_raw_export,
    slow_response,
    wrong_settings,
    wrong_inputs,
    rejected_credentials,
    temporary_errors,
    no_server,
    server_down_later,
    target_gone,
    wrong_type,
    new_fields_and_reports,
    failing_jobs,
    stored_columns,
    types_of_columns,
    settings_that_only_vendors_know,
)


def stderr_of_all(folder: Path) -> Iterator[str]:
    """Yield the stderr of each scenario; several run at a time, since each mostly waits."""
    with ThreadPoolExecutor(3) as pool:
        yield from pool.map(lambda scenario: scenario(folder), SCENARIOS)
