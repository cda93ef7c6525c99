"""The end of a run in its own process: the lines in the log, the exit code."""

import os
import subprocess
from pathlib import Path

import pytest
from sandbox.kindmetrics import Kindmetrics
from sandbox.server import running

from tests.kit.commands import SETTINGS, arguments, tap
from tests.processes import Ended

WRONG: dict[str, tuple[dict[str, object], tuple[str, ...]]] = {
    "several settings": (
        {"shard": "x", "window_days": 0, "start_dat": "2024-01-01"},
        ("shard must ", "window_days must ", "start_dat is not "),
    ),
    "a token": ({"api_token": "wrong-t0ken"}, ("api_token ",)),
    "an address": ({"api_url": "http://far.example"}, ("api_url must ",)),
    "segments of the wrong type": ({"segments": 5}, ("segments must ",)),
    "a segment's name of the wrong type": (
        {"segments": [{"name": ["a"]}]},
        ("segments[0].name must ",),
    ),
    "a stream map": ({"stream_maps": {"domains": {"x": "1 +"}}}, ("stream_maps",)),
}


@pytest.mark.parametrize(("config", "prefixes"), WRONG.values(), ids=WRONG)
def test_invalid_settings_are_one_line_each_with_exit_code_1_and_no_data(
    config: dict[str, object], prefixes: tuple[str, ...], tmp_path: Path
) -> None:
    vendor = Kindmetrics(token=SETTINGS["api_token"])
    with running(vendor.app) as server:
        done = tap({"api_url": server.url, **config}, tmp_path)
    assert_reported(done, prefixes)


def assert_reported(done: Ended, prefixes: tuple[str, ...]) -> None:
    assert done.code == 1
    assert done.output.text == ""
    assert "Traceback" not in done.stderr
    assert "wrong-t0ken" not in done.stderr
    for prefix in prefixes:
        errors = [line for line in done.stderr.splitlines() if "| ERROR " in line]
        assert sum(prefix in line for line in errors) == 1, done.stderr


@pytest.mark.parametrize("option", ["--catalog", "--state"])
def test_file_that_is_not_json_is_one_line(option: str, tmp_path: Path) -> None:
    file = tmp_path / "given.json"
    file.write_text("{x", encoding="utf-8")
    assert_reported(tap({}, tmp_path, option, str(file)), (f"{option} must be JSON: ",))


@pytest.mark.parametrize("option", ["", "--discover", "--version", "--about"])
def test_full_disk_is_one_line(option: str, tmp_path: Path) -> None:
    with (
        running(Kindmetrics(token=SETTINGS["api_token"]).app) as server,
        Path("/dev/full").open("wb") as full,
    ):
        more = [option] * bool(option)
        done = tap({"api_url": server.url}, tmp_path, *more, stdout=full.fileno())
    done.assert_one_error_line("No space left on the device that the output is written to")


@pytest.mark.process
@pytest.mark.parametrize(
    ("redirections", "code", "line"),
    [
        ("2>&-", 0, ""),
        ("2>&- <&-", 0, ""),
        ("2>/dev/full", 0, ""),
        (">&-", 1, "Standard output is closed, so no rows can be written"),
        (">&- 2>&- <&-", 1, ""),
    ],
)
def test_closed_or_full_stream_is_one_line_or_a_complete_run(
    redirections: str, code: int, line: str, tmp_path: Path
) -> None:
    with running(Kindmetrics(token=SETTINGS["api_token"]).app) as server:
        command = arguments({"api_url": server.url}, tmp_path)
        shell = ["sh", "-c", f'exec "$0" "$@" {redirections}', *command]
        done = subprocess.run(shell, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert ('"RECORD"' in done.stdout) == (code == 0)
    errors = [line for line in done.stderr.splitlines() if "| ERROR " in line]
    assert len(errors) == bool(line)
    assert all(line in error for error in errors)


@pytest.mark.process
def test_few_descriptors_are_enough(tmp_path: Path) -> None:
    with running(Kindmetrics(token=SETTINGS["api_token"]).app) as server:
        command = arguments({"api_url": server.url}, tmp_path)
        shell = ["sh", "-c", 'ulimit -n 12; exec "$0" "$@"', *command]
        done = subprocess.run(shell, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert '"RECORD"' in done.stdout


def test_target_that_stops_reading_is_one_line(tmp_path: Path) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    with running(Kindmetrics(token=SETTINGS["api_token"]).app) as server:
        done = tap({"api_url": server.url}, tmp_path, stdout=theirs)
    os.close(theirs)
    assert done.code == 1
    assert "Traceback" not in done.stderr
    assert "The target stopped reading" in done.stderr
