"""How a run ends at the command line: in words, with the right exit code."""

import io
import json
import logging
import os
from pathlib import Path

import pytest
from msgspec import Struct
from sandbox.kindmetrics import Kindmetrics
from sandbox.server import running
from singer_sdk.exceptions import ConfigValidationError
from tap_kit.inputs import Catalog, State, load_input

from tests.kit.commands import SETTINGS, tap

LOGGER = logging.getLogger("tap-canned")
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
