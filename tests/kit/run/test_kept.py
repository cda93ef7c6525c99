"""The file in which a tap keeps what it has learned for later runs."""

from __future__ import annotations

import logging
import os
import stat
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from tap_kit.run.kept import KeptFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

logger = logging.getLogger("test")
Value = dict[str, int]


def kept(path: Path) -> KeptFile[Value]:
    return KeptFile(path, Value, logger)


def test_a_value_is_read_as_it_was_written_and_only_its_user_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "kept.json"
    assert kept(path).read() is None
    for value in ({"a": 1}, {"b": 2}):
        kept(path).write(value)
        assert kept(path).read() == value
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [*path.parent.iterdir()] == [path]


def linked(path: Path) -> None:
    target = path.with_name("target")
    target.write_text("{}")
    path.symlink_to(target)


def too_long(path: Path) -> None:
    path.write_bytes(b" " * 100)


BAD: dict[str, Callable[[Path], object]] = {
    "truncated": lambda path: path.write_text('{"a": 1'),
    "Expected": lambda path: path.write_text('{"a": "text"}'),
    "'utf-8'|UTF-8": lambda path: path.write_bytes(b'{"\xff": 1}'),
    "not a regular file": os.mkfifo,
    "Too many levels of symbolic links": linked,
    "larger than 0 MiB": too_long,
}


@pytest.mark.parametrize("reason", BAD)
def test_a_bad_file_is_ignored_with_a_line_and_replaced(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, reason: str
) -> None:
    path = tmp_path / "kept.json"
    BAD[reason](path)
    with patch("tap_kit.run.kept.MAX_BYTES", 50 if "larger" in reason else 1 << 20):
        assert kept(path).read() is None
    (line,) = caplog.messages
    assert line.startswith(f"Ignoring the file {path}: ")
    assert any(part.lower() in line.lower() for part in reason.split("|")), line
    kept(path).write({"a": 1})
    assert kept(path).read() == {"a": 1}


def test_a_file_of_another_user_is_ignored(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept(tmp_path / "kept.json").write({"a": 1})
    with patch("os.geteuid", return_value=os.geteuid() + 1):
        assert kept(tmp_path / "kept.json").read() is None
    assert caplog.messages[0].endswith("it belongs to another user")


def test_a_file_that_cannot_be_written_is_a_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    kept(tmp_path / "file" / "kept.json").write({"a": 1})
    (tmp_path / "kept.json").mkdir()
    kept(tmp_path / "kept.json").write({"a": 1})
    assert [text.partition(" cannot be written: ")[0] for text in caplog.messages] == [
        f"The file {tmp_path}/file/kept.json",
        f"The file {tmp_path}/kept.json",
    ]
    assert {path.name for path in tmp_path.iterdir()} == {"file", "kept.json"}


def test_a_file_is_written_beside_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From another file system it could not replace the old one."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    kept(tmp_path / "kept.json").write({"a": 1})
    assert kept(tmp_path / "kept.json").read() == {"a": 1}
