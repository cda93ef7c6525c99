"""The command line."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
from sandbox.cli import main

COMMAND = [sys.executable, "-W", "error", "-m", "sandbox"]


@contextmanager
def started(*options: str) -> Iterator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [*COMMAND, *options], stdout=pipe, stderr=pipe, text=True, env=environment
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_first_line_is_the_url_and_a_signal_stops_the_command(end: signal.Signals) -> None:
    with started("kindmetrics", "--token", "t1", "--fault", "503 first=1") as process:
        url = first_line(process)
        statuses = [
            requests.get(f"{url}/api/me", headers={"Authorization": "t1"}, timeout=10).status_code
            for _ in range(2)
        ]
        process.send_signal(end)
        rest, errors = process.communicate(timeout=10)
    assert statuses == [503, 200]
    assert rest == ""
    assert "Bearer t1" in errors
    assert "Traceback" not in errors
    assert process.returncode == 0


def test_all_prints_a_line_for_each_vendor() -> None:
    with started("all") as process:
        name, url = first_line(process).split(" ")
        assert name == "kindmetrics"
        assert requests.get(f"{url}/api/me?token=demo-token", timeout=10).status_code == 200


def test_options_configure_the_account() -> None:
    switches = (
        "--domains 2 --no-me --today 2026-11-20 --referrers-route documented --ended-domain 2 "
        "--created 1=2026-11-19 --pages-per-day 3 --latency-ms 1"
    )
    with started("kindmetrics", *switches.split()) as process:
        url = first_line(process)

        def get(path: str) -> requests.Response:
            return requests.get(f"{url}/api/{path}", params={"token": "demo-token"}, timeout=10)

        assert get("me").status_code == 404
        assert len(get("domains").json()) == 2
        assert get("domains/1/referrers").status_code == 200
        assert get("domains/2").status_code == 403
        assert get("domains/1/pages?from=2026-11-18&to=2026-11-18").json() == []
        assert len(get("domains/1/pages?from=2026-11-19&to=2026-11-19").json()) == 3


def test_a_taken_port_is_reported_in_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["kindmetrics", "--port", str(port)]) == 1
    expected = f"sandbox: cannot listen on 127.0.0.1 port {port}: Address already in use\n"
    assert capfd.readouterr() == ("", expected)


def test_a_host_that_is_not_loopback_is_reported_in_one_line(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert main(["kindmetrics", "--host", "0.0.0.0"]) == 1  # noqa: S104
    assert capfd.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ([], "required: VENDOR"),
        (["kindmetrics", "--fault", "boom"], "must start with a status code or one of reset"),
        (["kindmetrics", "--port", "70000"], "must be a port from 0 to 65535, got '70000'"),
        (["kindmetrics", "--domains", "0"], "must be a whole number from 1, got '0'"),
        (["kindmetrics", "--today", "soon"], "must be a date such as 2026-01-31, got 'soon'"),
        (
            ["kindmetrics", "--now", "soon"],
            "must be a time such as 2026-01-31T14",
        ),
        (["kindmetrics", "--latency-ms", "-1"], "must be a whole number, got '-1'"),
    ],
)
def test_invalid_options_are_usage_errors(
    options: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(options)
    assert complaint in capsys.readouterr().err


def test_help_documents_the_faults(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["kindmetrics", "--help"])
    assert "wrong_encoding" in capsys.readouterr().out
