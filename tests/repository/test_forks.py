"""A forked executable behaves as one in a new process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault
from sandbox.kindmetrics import Kindmetrics
from sandbox.server import running

from tests.end_to_end.project import MELTANO
from tests.forks import Forked
from tests.kindmetrics.site import NOW, TAP, TOKEN, Site
from tests.processes import Ended, clean_environment, execute, execute_anew
from tests.singer import Output
from tools.workspace import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.process
AT_END = (
    "import atexit, threading, time; atexit.register(sys.stdout.write, ', handler');"
    "threading.Thread(target=lambda: [time.sleep(0.1), sys.stdout.write(', thread')]).start();"
    "sys.stdout.write('written');"
)
CLOCK = re.compile(r"^\d{4}-\S+ \S+|after \d+ s|\"(?:value|pid)\":[0-9.e-]+")


def in_new_process(
    command: list[str], environment: dict[str, str], *, stdout: int, stderr: int
) -> subprocess.Popen[bytes]:
    """Start a command as ``Forked`` does."""
    return subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr
    )


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    api = Kindmetrics(token=TOKEN, now=NOW, domains=1, visitors_per_day=9)
    with running(api.app) as server:
        yield Site(api, server.url, tmp_path)


def what_repeats(ended: Ended) -> tuple[int, Any, list[str]]:
    """Return exit code, output and log without times, ids and the order of threads."""
    text = ended.output.text
    output = ended.output.without_clock if text.startswith('{"type"') else text
    return ended.code, output, sorted(CLOCK.sub("", line) for line in ended.stderr.splitlines())


@pytest.mark.parametrize(
    "arguments",
    ["--help", "--version", "--about --format=json", "--discover", "--nonsense", "--state none"],
)
def test_same_output_of_commands(arguments: str) -> None:
    command = [str(TAP), *arguments.split()]
    assert what_repeats(execute(*command)) == what_repeats(execute_anew(*command))


@pytest.mark.parametrize("arguments", ["--help", "--version", "nonsense"])
def test_same_output_of_meltano(arguments: str) -> None:
    command = [str(MELTANO), arguments]
    assert what_repeats(execute(*command)) == what_repeats(execute_anew(*command))


def test_same_end_of_a_command() -> None:
    """Exit handlers run, outputs are flushed, and the exit code is that of the command."""
    text = f"import sys; from tests.fork_server import end; {AT_END} end(3)"
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, "written, thread, handler", "")


@pytest.mark.parametrize("changes", [{}, {"shard": 7}, {"api_token": "wrong"}], ids=str)
def test_same_output_of_runs(site: Site, changes: dict[str, Any]) -> None:
    command = site.command(end_date="2024-02-01", **changes)
    debug = {"LOGLEVEL": "debug"}
    forked, new = execute(*command, environment=debug), execute_anew(*command, environment=debug)
    assert "DEBUG" in forked.stderr
    assert what_repeats(forked) == what_repeats(new)


@pytest.mark.parametrize("start", [Forked, in_new_process])
def test_same_end_of_a_closed_output(site: Site, start: Any) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    with start(
        site.command(), clean_environment(), stdout=theirs, stderr=subprocess.PIPE
    ) as process:
        os.close(theirs)
        _, err = process.communicate(timeout=60)
    Ended(process.wait(), Output(""), err.decode()).assert_one_error_line("target stopped reading")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("start", [Forked, in_new_process])
def test_same_end_by_a_signal(site: Site, start: Any, number: signal.Signals) -> None:
    site.api.faults.append(Fault("stall", wait_ms=60_000, path="/pages"))
    pipe = subprocess.PIPE
    with start(site.command(), clean_environment(), stdout=pipe, stderr=pipe) as process:
        process.stdout.readline()
        process.send_signal(number)
        process.communicate(timeout=60)
    assert process.returncode == (-number if number == signal.SIGKILL else 128 + number)


def test_process_has_its_own_variables_folder_and_three_descriptors(tmp_path: Path) -> None:
    """The tap waits for its settings, so the test can look at the process."""
    settings = tmp_path / "settings.json"
    os.mkfifo(settings)
    command = [str(TAP), "--config", "ENV", "--config", settings.name]
    environment = {"TAP_KINDMETRICS_API_TOKEN": "4711"}
    with Forked(command, environment, folder=tmp_path) as process:
        with settings.open("w") as opened:  # when the tap opens it, too
            found = Path(f"/proc/{process.pid}")
            assert (found / "cwd").resolve() == tmp_path
            held = sorted(int(one.name) for one in (found / "fd").iterdir())
            opened.write('{"start_date": "2024-01-01", "api_url": 7}')
        _, err = process.communicate()
    assert held[:3] == [0, 1, 2]
    assert len(held) == 4, "the three and the settings"
    assert b"Settings from the environment: api_token" in err
