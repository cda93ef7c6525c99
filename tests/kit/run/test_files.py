"""Files of ``--config``, ``--state``, ``--catalog`` that are hostile or broken: one line each."""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk.exceptions import ConfigValidationError
from tap_kit.run import files
from tap_kit.run.files import MAX_DEPTH, load_json_file, parse_json_text

from tests.kit.canned import ID, Table, tap_of
from tests.kit.run.test_command_line import ended, errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OPTIONS = ("--config", "--state", "--catalog")
TAP = tap_of(Table({"id": ID}, [{"id": 1}]))
DEEP = 100_000
WRONG_BYTES = {
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "just too deep": b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
    "invalid UTF-8": b'{"bookmarks": "\xff"}',
    "UTF-16": '{"bookmarks": {}}'.encode("utf-16"),
    "NaN": b'{"bookmarks": NaN}',
    "infinite": b'{"bookmarks": -Infinity}',
    "digits": b'{"bookmarks": ' + b"9" * 10_000 + b"}",
    "key twice": b'{"bookmarks": {}, "bookmarks": {}}',
    "empty": b"",
    "white space": b" \n",
    "null character": b'{"bookmarks": {}\x00}',
}


def line_of(option: str, path: str, caplog: pytest.LogCaptureFixture) -> str:
    """Run the tap with this file; return its only error line."""
    code, run = ended(TAP, option, path)
    assert (code, run.text) == (1, "")
    (line,) = errors(caplog)
    assert "\n" not in line
    caplog.clear()
    return line


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("wrong", WRONG_BYTES)
def test_wrong_content_is_one_line(
    wrong: str, option: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "input.json"
    file.write_bytes(WRONG_BYTES[wrong])
    line = line_of(option, str(file), caplog)
    assert line.startswith(option)


@pytest.mark.parametrize(
    ("option", "content", "line"),
    [
        ("--config", r'{"shard": "\ud800"}', "shard must be valid Unicode"),
        ("--state", r'{"bookmarks": {"\ud800": {}}}', "--state must be valid Unicode"),
        ("--catalog", r'{"streams": [], "x": "\ud800"}', "--catalog must be valid Unicode"),
    ],
)
def test_lone_surrogate_is_one_line(
    option: str, content: str, line: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "input.json").write_text(content, encoding="utf-8")
    assert line_of(option, str(tmp_path / "input.json"), caplog) == line


@pytest.mark.parametrize("option", OPTIONS)
def test_file_that_cannot_be_read_is_one_line(
    option: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for path in (str(tmp_path), str(tmp_path / "none"), "a\x00b", "x" * 5000):
        assert line_of(option, path, caplog).startswith(f"{option} cannot be read: ")


@pytest.mark.parametrize("option", OPTIONS)
def test_file_with_too_many_values_is_one_line(
    option: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "lists.json"
    path.write_bytes(b"[" + b"[]," * 1_000_000 + b"[]]")
    line = f"{option} has too many values: they would take over 128 MiB of memory"
    assert line_of(option, str(path), caplog) == line


@pytest.mark.parametrize("option", OPTIONS)
def test_file_without_end_is_one_line(
    option: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 1 << 20)
    assert line_of(option, "/dev/zero", caplog) == f"{option} must have at most 1 MiB"


@pytest.mark.parametrize("option", OPTIONS)
def test_pipe_without_a_writer_is_one_line(
    option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(files, "TIMEOUT_S", 0.05)
    os.mkfifo(tmp_path / "pipe")
    line = line_of(option, str(tmp_path / "pipe"), caplog)
    assert line.startswith(f"{option} cannot be read: no end after 0 s: ")


def _written(folder: Path, write: Callable[[Path], object]) -> str:
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    threading.Thread(target=write, args=(pipe,), daemon=True).start()
    return str(pipe)


def test_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    value = {"text": "x" * 3_000_000}
    pipe = _written(tmp_path, lambda path: path.write_text(json.dumps(value)))
    assert load_json_file(pipe, "--state") == value


def test_pipe_without_end_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(path: Path) -> None:
        with suppress(BrokenPipeError), path.open("wb", buffering=0) as pipe:
            while True:
                pipe.write(b" " * 65_536)

    monkeypatch.setattr(files, "MAX_BYTES", 1 << 20)
    with pytest.raises(ConfigValidationError, match="at most 1 MiB"):
        load_json_file(_written(tmp_path, write), "--config")


def test_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text('{"a": 1}', encoding="utf-8-sig")
    assert load_json_file(str(tmp_path / "state.json"), "--state") == {"a": 1}


def test_minus_stands_for_standard_input(tmp_path: Path) -> None:
    (tmp_path / "x").write_text('{"a": 1}', encoding="utf-8")
    before = os.dup(0)
    with (tmp_path / "x").open() as file:
        os.dup2(file.fileno(), 0)
        try:
            assert load_json_file("-", "--state") == {"a": 1}
        finally:
            os.dup2(before, 0)
            os.close(before)


@given(content=st.binary(max_size=60) | st.text(alphabet='[]{},:"\\u0dN1e. ', max_size=60))
def test_any_content_is_a_value_or_one_line(
    content: bytes | str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    try:
        load_json_file(str(path), "--state")
    except ConfigValidationError as error:
        (line,) = error.errors
        assert line.startswith("--state ")
        assert "\n" not in line


def test_value_at_the_limit_of_depth_is_accepted() -> None:
    text = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert json.dumps(parse_json_text(text)) == text


def test_key_that_is_there_twice_is_named() -> None:
    with pytest.raises(files.InvalidJsonError, match="an object has a key twice: b"):
        parse_json_text('{"a": {"b": 1, "c": 2, "b": 3}}')
