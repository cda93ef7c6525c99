"""How a run ends at the command line: in words, with the right exit code."""

import io
import json
import logging
import os
import signal
import threading
from pathlib import Path

import pytest
from msgspec import Struct
from sandbox.kindmetrics import Kindmetrics
from sandbox.server import running
from singer_sdk.exceptions import ConfigValidationError
from tap_kit.command import one_line_errors, stop_signals
from tap_kit.errors import KitError, PartitionUnavailable, Retriable, SyncFailed, setting_error
from tap_kit.inputs import Catalog, State, load_input

from tests.kit.commands import SETTINGS, Ended, tap

LOGGER = logging.getLogger("tap-canned")


def ended(error: Exception, caplog: pytest.LogCaptureFixture) -> tuple[object, list[str]]:
    """The exit code and the lines of a run that ends in this error."""
    with pytest.raises(SystemExit) as caught, one_line_errors(LOGGER):
        raise error
    assert all(record.exc_info is None for record in caplog.records)
    return caught.value.code, caplog.messages


@pytest.mark.parametrize(
    ("error", "lines"),
    [
        (setting_error("api_token", "is wrong"), ["api_token: is wrong"]),
        (ConfigValidationError("a; b", errors=["a", "b"]), ["a", "b"]),
        (ConfigValidationError("alone"), ["alone"]),
        (SyncFailed("no more"), ["no more"]),
        (Retriable("again"), ["again"]),
        (PartitionUnavailable("gone"), ["gone"]),
        (KitError("%s is no format"), ["%s is no format"]),
    ],
)
def test_what_a_user_can_cure_is_a_line_and_exit_code_1(
    error: Exception, lines: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert ended(error, caplog) == (1, lines)


@pytest.mark.parametrize("error", [KeyError("x"), ValueError("x"), PermissionError(13, "x")])
def test_a_fault_of_ours_keeps_its_traceback(error: Exception) -> None:
    with pytest.raises(type(error)), one_line_errors(LOGGER):
        raise error


def test_a_run_that_ends_well_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    with one_line_errors(LOGGER):
        pass
    assert caplog.messages == []


def test_the_handlers_of_before_come_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with stop_signals(threading.Event()):
        assert signal.getsignal(signal.SIGTERM) is not before[1]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_thread_that_is_not_the_main_one_leaves_the_signals_alone() -> None:
    seen = []

    def work() -> None:
        with stop_signals(threading.Event()):
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(5)
    assert seen == [signal.getsignal(signal.SIGTERM)]


WRONG: dict[str, tuple[dict[str, object], tuple[str, ...]]] = {
    "several settings": (
        {"shard": "x", "window_days": 0, "start_dat": "2024-01-01"},
        ("shard: ", "window_days: ", "start_dat: "),
    ),
    "a token": ({"api_token": "wrong-t0ken"}, ("api_token: ",)),
    "an address": ({"api_url": "http://far.example"}, ("api_url: ",)),
    "segments of the wrong type": ({"segments": 5}, ("segments: ",)),
    "a segment's name of the wrong type": (
        {"segments": [{"name": ["a"]}]},
        ("segments[0].name: ",),
    ),
    "a stream map": ({"stream_maps": {"domains": {"x": "1 +"}}}, ("stream_maps",)),
}


@pytest.mark.parametrize(("config", "begins"), WRONG.values(), ids=WRONG)
def test_a_wrong_setting_is_a_line_each_exit_code_1_and_no_data(
    config: dict[str, object], begins: tuple[str, ...], tmp_path: Path
) -> None:
    vendor = Kindmetrics(token=SETTINGS["api_token"])
    with running(vendor.app) as server:
        done = tap({"api_url": server.url, **config}, tmp_path)
    assert_told(done, begins)


def assert_told(done: Ended, begins: tuple[str, ...]) -> None:
    assert done.code == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "wrong-t0ken" not in done.stderr
    for begin in begins:
        assert sum(begin in line for line in done.stderr.splitlines()) == 1, done.stderr


GOOD_INPUTS: list[tuple[str, type[Struct], str]] = [
    ("--state", State, '{"bookmarks": {}, "more": [1]}'),
    ("--state", State, "{}"),
    ("--state", State, '{"bookmarks": {"pages": {"partitions": [{"context": {"id": 1}}]}}}'),
    ("--catalog", Catalog, '{"streams": []}'),
    ("--catalog", Catalog, '{"streams": [{"tap_stream_id": "pages", "schema": {}}]}'),
]
BAD_INPUTS: list[tuple[str, type[Struct], str]] = [
    *(("--state", State, text) for text in ("[]", "7", '"x"', "null", '{"bookmarks": []}')),
    ("--state", State, '{"bookmarks": {"pages": null}}'),
    ("--state", State, '{"bookmarks": {"pages": {"partitions": {}}}}'),
    ("--state", State, '{"bookmarks": {"pages": {"partitions": ["all"]}}}'),
    *(("--catalog", Catalog, text) for text in ("[]", "{}", '{"streams": {}}')),
    ("--catalog", Catalog, '{"streams": [{}]}'),
]


@pytest.mark.parametrize(("option", "shape", "text"), GOOD_INPUTS)
def test_a_file_of_the_right_kind_is_read_as_it_is(
    option: str, shape: type[Struct], text: str
) -> None:
    assert load_input(io.StringIO(text), option, shape) == json.loads(text)


def test_no_file_is_nothing() -> None:
    assert load_input(None, "--state", State) is None


@pytest.mark.parametrize(("option", "shape", "text"), BAD_INPUTS)
def test_a_file_of_another_kind_is_told_by_its_option(
    option: str, shape: type[Struct], text: str
) -> None:
    with pytest.raises(ConfigValidationError) as caught:
        load_input(io.StringIO(text), option, shape)
    (line,) = caught.value.errors
    assert line.startswith(f"{option}: the file holds no Singer {option.strip('-')}: ")


@pytest.mark.parametrize("option", ["--catalog", "--state"])
def test_a_file_that_is_not_json_ends_the_run_in_a_line(option: str, tmp_path: Path) -> None:
    file = tmp_path / "given.json"
    file.write_text("{x", encoding="utf-8")
    assert_told(tap({}, tmp_path, option, str(file)), (f"{option}: the file is not JSON: ",))


def test_a_full_disk_is_a_line(tmp_path: Path) -> None:
    with (
        running(Kindmetrics(token=SETTINGS["api_token"]).app) as server,
        Path("/dev/full").open("wb") as full,
    ):
        done = tap({"api_url": server.url}, tmp_path, stdout=full.fileno())
    assert done.code == 1
    assert "Traceback" not in done.stderr
    assert "No space left on the device" in done.stderr


def test_a_target_that_stops_reading_is_a_line(tmp_path: Path) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    with running(Kindmetrics(token=SETTINGS["api_token"]).app) as server:
        done = tap({"api_url": server.url}, tmp_path, stdout=theirs)
    os.close(theirs)
    assert done.code == 1
    assert "Traceback" not in done.stderr
    assert "The target stopped reading" in done.stderr
