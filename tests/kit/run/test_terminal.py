"""The output of a real run on a real terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from datetime import date

import pytest
from sandbox.kindmetrics import Kindmetrics
from sandbox.server import running

from tests.kit.commands import arguments

COLUMNS = 100
TOKEN = "terminal-s3cret-77"  # noqa: S105  (a token of the sandbox)


def run_on_a_terminal(command: list[str]) -> tuple[int, str]:
    """Run ``command`` on a terminal with 100 columns; return its exit code and its output."""
    our_end, its_end = pty.openpty()
    fcntl.ioctl(its_end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TAP_")}
    with subprocess.Popen(
        command, stdin=its_end, stdout=subprocess.DEVNULL, stderr=its_end, env=environment
    ) as process:
        os.close(its_end)
        seen = bytearray()
        while piece := _read(our_end):
            seen += piece
        os.close(our_end)
    return process.returncode, seen.decode("utf-8")


def _read(terminal: int) -> bytes:
    """Return the next output; nothing if all have closed the terminal (EIO on Linux)."""
    try:
        return os.read(terminal, 1 << 16)
    except OSError:
        return b""


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The output of a run of a few seconds in which one domain is refused."""
    api = Kindmetrics(
        token=TOKEN, domains=3, ended_domains=(2,), today=date(2024, 1, 31), latency_ms=20
    )
    with running(api.app) as server:
        config = {"api_url": server.url, "api_token": TOKEN, "start_date": "2024-01-01"}
        command = arguments(config, tmp_path_factory.mktemp("terminal"))
        code, screen = run_on_a_terminal(command)
    assert code == 0, screen
    return screen


def test_bar_moves_and_names_the_stream(screen: str) -> None:
    drawn = re.findall(r"\r[^\r\n]*\| (\d+)/(\d+) \[[^\r\n]*", screen)
    assert len({done for done, _ in drawn}) >= 3
    assert len({total for _, total in drawn}) == 1
    assert int(drawn[-1][0]) > 0.85 * int(drawn[-1][1]), "tasks of a refused domain are done"
    assert re.search(r"rows, reading pages", screen)


def test_log_lines_and_bar_are_on_separate_lines_of_the_terminals_width(screen: str) -> None:
    assert "| WARNING" in screen
    for line in re.findall(r"[^\r\n]*\| (?:INFO|WARNING) +\|[^\r\n]*", screen):
        assert re.match(r"\d{4}-\d\d-\d\d ", line), line
    bars = re.findall(r"\r([^\r\n]*task/s[^\r\n]*)", screen)
    assert max(map(len, bars)) <= COLUMNS


def test_plan_comes_first_and_summary_last_without_json_between(screen: str) -> None:
    lines = [line for line in re.split(r"[\r\n]+", screen) if line.strip()]
    assert "METRIC" not in screen
    assert any("Plan: " in line for line in lines[:6])
    end = r"Done after \d+ s: [\d,]+ rows \(account 1, .*\), [\d,]+ requests, \d+ warnings?$"
    assert re.search(end, lines[-1])
    assert TOKEN not in screen
