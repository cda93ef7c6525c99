"""Run a tap in shards on an Airflow that is started for this run: scheduler, API, workers.

Airflow has its own environment (``make airflow``), since it has many packages. Its database and
logs are in ``orchestration/.airflow``. If you already have an Airflow, you need only
``dags/shards.py``.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import requests

from orchestration.shards import ROOT, Job, arguments, job_of

if TYPE_CHECKING:
    from collections.abc import Iterator

HOME = ROOT / "orchestration" / ".airflow"
AIRFLOW = ROOT / "orchestration" / ".envs" / "airflow" / "bin" / "airflow"
RUNS = "/dags/shards/dagRuns"
START_S, STOP_S, POLL_S, REQUEST_S = 240, 20, 2, 60
ENDED = {"success", "failed"}
# Ends the whole process group when standard input ends, which it also does if this process is
# killed.
GUARD = """exec 3<&0; { trap "" TERM; read -r _ <&3; kill -TERM 0; sleep 20; kill -KILL 0; } &
exec "$@" 3<&- </dev/null"""


def settings(job: Job, port: int) -> dict[str, str]:
    """Return Airflow's settings: worker processes on this machine, SQLite, loopback, no login."""
    own = {
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": str(job.max_running),
        "CORE__DAGS_FOLDER": str(ROOT / "orchestration" / "dags"),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "API__HOST": "127.0.0.1",
        "API__PORT": str(port),
        "API__WORKERS": "1",
        "API_AUTH__JWT_SECRET": secrets.token_urlsafe(32),
        "LOGGING__WORKER_LOG_SERVER_PORT": str(_free_port()),
    }
    return {
        **{f"AIRFLOW__{name}": value for name, value in own.items()},
        "AIRFLOW_HOME": str(HOME),
        "SHARD_WORKERS": str(job.max_running),
        "SHARD_RETRIES": "0",  # a person waits for this run
        "PYTHONPATH": str(ROOT),
    }


class Airflow(NamedTuple):
    """A running Airflow: its API, and the processes that must stay alive."""

    api: str
    servers: list[subprocess.Popen[bytes]]

    def get(self, path: str) -> dict[str, Any]:
        """Return a response of the API.

        Raises:
            RuntimeError: a process of Airflow has ended.
        """
        if any(server.poll() is not None for server in self.servers):
            msg = f"Airflow has stopped; see {HOME / 'airflow.log'}"
            raise RuntimeError(msg)
        response = requests.get(f"{self.api}{path}", timeout=REQUEST_S)
        response.raise_for_status()
        found: dict[str, Any] = response.json()
        return found

    def wait(self) -> None:
        """Wait until the API responds.

        Raises:
            TimeoutError: it does not respond in time.
        """
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            with contextlib.suppress(requests.ConnectionError):
                self.get("/monitor/health")
                return
            time.sleep(POLL_S)
        msg = f"Airflow does not respond; see {HOME / 'airflow.log'}"
        raise TimeoutError(msg)

    def run(self, params: dict[str, Any]) -> list[dict[str, Any]]:
        """Run the DAG once and return its task instances when all of them have ended."""
        self.wait()
        dag_run = {"dag_run_id": "once", "logical_date": None, "conf": params}
        response = requests.post(f"{self.api}{RUNS}", json=dag_run, timeout=REQUEST_S)
        response.raise_for_status()
        while self.get(f"{RUNS}/once")["state"] not in ENDED:
            time.sleep(POLL_S)
        found: list[dict[str, Any]] = self.get(f"{RUNS}/once/taskInstances")["task_instances"]
        return found


@contextlib.contextmanager
def airflow(job: Job) -> Iterator[Airflow]:
    """Start Airflow with the DAG, and stop it at the end of the block."""
    port = _free_port()
    environment = {**os.environ, **settings(job, port)}
    shutil.rmtree(HOME, ignore_errors=True)  # Meltano keeps the bookmarks, not Airflow
    HOME.mkdir()
    with (HOME / "airflow.log").open("wb") as log, contextlib.ExitStack() as stack:
        for command in ("db migrate", "dags reserialize"):
            with _started(command, environment, log) as process:
                process.wait()
        servers = [
            stack.enter_context(_started(command, environment, log))
            for command in ("api-server", "scheduler")
        ]
        yield Airflow(f"http://127.0.0.1:{port}/api/v2", servers)


@contextlib.contextmanager
def _started(
    command: str, environment: dict[str, str], log: IO[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command of Airflow in its own process group, which ends with the block."""
    process = subprocess.Popen(
        ["/bin/sh", "-c", GUARD, "guard", str(AIRFLOW), *command.split()],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        for final in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, final)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_S)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> int:
    """Run a tap in shards; return 1 if one of them fails. The others continue."""
    parser = arguments(__doc__)
    options = vars(parser.parse_args())
    job = job_of(parser, options)
    if not AIRFLOW.exists():
        sys.stderr.write("Airflow is not installed; run `make airflow`\n")
        return 1
    with airflow(job) as running:
        tasks = running.run({name: v for name, v in options.items() if name != "workers"})
    for task in tasks:
        number = f" {task['map_index']}" if task["map_index"] >= 0 else ""
        print(f"{task['task_id']}{number}: {task['state']}, process {task['pid']}")
    return int(any(task["state"] != "success" for task in tasks))


if __name__ == "__main__":
    sys.exit(main())
