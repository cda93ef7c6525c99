"""Batch files in a folder that other runs use too, and on a full disk."""

from __future__ import annotations

import errno
import logging
import os
import time
from typing import TYPE_CHECKING

import pytest
from msgspec import Struct
from tap_kit.errors import SyncFailed
from tap_kit.run.batch_options import MAX_PREFIX, BatchOptions
from tap_kit.run.batches import STALE_S, BatchFiles

from tests.kit.canned import run_of, tap_of
from tests.kit.run.test_batches import ROWS, files_of, rows_in, settings, some_rows

if TYPE_CHECKING:
    from pathlib import Path


class Figure(Struct):
    """A row."""

    id: int = 1


@pytest.mark.parametrize("age_s", [0, STALE_S + 60])
def test_another_shard_may_delete_its_files_meanwhile(
    age_s: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tap, config = tap_of(some_rows()), settings(tmp_path)
    (old,) = files_of(run_of(tap(config=config)))
    os.utime(old, (time.time() - age_s,) * 2)
    scan = os.scandir

    def scan_before_the_file_is_deleted(folder: Path) -> list[os.DirEntry[str]]:
        entries = list(scan(folder))
        assert old.name in {entry.name for entry in entries}
        old.unlink()
        return entries

    monkeypatch.setattr(os, "scandir", scan_before_the_file_is_deleted)
    (new,) = files_of(run_of(tap(config=config)))
    assert rows_in(new) == ROWS


def test_longest_names_fit_into_the_name_of_a_file(tmp_path: Path) -> None:
    config = settings(tmp_path, "gzip")["batch_config"]
    config["storage"]["prefix"] = "p" * MAX_PREFIX
    files = BatchFiles(BatchOptions.of(config), "tap-khoros-analytics")
    files.add("s" * 300, [Figure()])
    files.finish_all()
    (file,) = tmp_path.iterdir()
    assert len(file.name) <= 255
    assert file.read_bytes()[4:8] == bytes(4), "no time, so that equal rows make equal files"


def _no_space(_number: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_files_of_a_full_disk_are_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python prints an error for a gzip stream that is still open when it is deleted."""
    config = settings(tmp_path, "gzip")["batch_config"]
    files = BatchFiles(BatchOptions.of(config), "tap-canned")
    for stream in ("first", "second"):
        files.add(stream, [Figure()])
    opened = [*files._open.values()]  # noqa: SLF001  (they are no part of the messages)
    monkeypatch.setattr(os, "fsync", _no_space)
    with pytest.raises(SyncFailed, match="No space left on device"):
        files.finish_all()
    assert [(file.out.closed, file.disk.closed) for file in opened] == [(True, True)] * 2
    assert list(tmp_path.iterdir()) == []


def test_disk_that_is_full_at_the_first_row_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = BatchFiles(BatchOptions.of(settings(tmp_path)["batch_config"]), "tap-canned")
    monkeypatch.setattr(os, "open", lambda *_, **__: _no_space(0))
    with pytest.raises(SyncFailed) as caught:
        files.add("first", [Figure()])
    assert f"No space left on device: {tmp_path}; free some space" in str(caught.value)


@pytest.mark.parametrize(
    ("stored", "is_left"), [({}, True), ({"files": 0}, True), ({"files": 1}, False)]
)
def test_file_that_the_state_does_not_have_is_left(
    stored: dict[str, int],
    is_left: bool,  # noqa: FBT001
    tmp_path: Path,
) -> None:
    """The target may still read it."""
    options = BatchOptions.of(settings(tmp_path)["batch_config"])
    files = BatchFiles(options, "tap-canned")
    files.add("figures", [Figure()])
    files.finish_all()
    (file,) = tmp_path.iterdir()
    state = {"batches": {"run": files.run_id, **stored}}
    BatchFiles(options, "tap-canned").prepare(state, logging.getLogger("test"))
    assert file.exists() == is_left
