"""Batch files: complete before their messages, before the state, and deleted by the next run."""

from __future__ import annotations

import errno
import gzip
import json
import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import tap_kit.run.batches
from tap_kit.rows.utc import set_to_utc
from tap_kit.run.batch_options import MAX_PREFIX
from tap_kit.run.batches import STALE_S

from tests.kit.canned import ID, NUMBER, TEXT, Run, Table, deselect, run_of, tap_of

if TYPE_CHECKING:
    from tap_kit.tap import KitTap

DAYS = {"start_date": "2024-01-01", "end_date": "2024-01-03", "lookback_days": 0}
TIME = {"type": ["string", "null"], "format": "date-time"}
OBJECT = {"type": ["object", "null"]}
ROWS = [{"id": n, "name": f"ü\n\0{n}", "more": {"a": [{"b": n}]}} for n in range(5)]


def some_rows(name: str = "figures") -> Table:
    return Table({"id": ID, "name": TEXT, "more": OBJECT}, ROWS, name=name)


def settings(folder: Path, compression: str = "none", **more: Any) -> dict[str, Any]:
    encoding = {"format": "jsonl", "compression": compression}
    storage = {"root": folder.as_uri(), "prefix": "p-"}
    return {**DAYS, "batch_config": {"encoding": encoding, "storage": storage, **more}}


def files_of(run: Run) -> list[Path]:
    return [Path(url.removeprefix("file://")) for m in run.of("BATCH") for url in m["manifest"]]


def kinds(run: Run) -> list[str]:
    """Return the types of the messages after the state with which every run begins."""
    first, *others = (message["type"] for message in run.messages)
    assert first == "STATE"
    return others


def rows_in(path: Path) -> list[dict[str, Any]]:
    data = path.read_bytes()
    data = gzip.decompress(data) if path.suffix == ".gz" else data
    assert data.endswith(b"\n")
    return [json.loads(line) for line in data.splitlines()]


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_files_contain_the_rows_of_record_messages(compression: str, tmp_path: Path) -> None:
    run = run_of(tap_of(some_rows())(config=settings(tmp_path / "new", compression)))
    assert kinds(run) == ["SCHEMA", "BATCH", "STATE"]
    (file,) = files_of(run)
    assert rows_in(file) == run_of(tap_of(some_rows())(config=DAYS)).records == ROWS
    assert run.of("BATCH")[0]["encoding"] == {"format": "jsonl", "compression": compression}
    assert file.name.startswith("p-tap-canned-")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert list(file.parent.iterdir()) == [file]


def test_a_folder_is_all_that_is_required(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = {**DAYS, "batch_config": {"storage": {"root": "batches"}}}
    (file,) = files_of(run_of(tap_of(some_rows())(config=config)))
    assert file.parent == tmp_path / "batches"
    assert rows_in(file) == ROWS


@pytest.mark.parametrize(("rows", "sizes"), [(2, [2, 2, 1]), (5, [5]), (6, [5])])
def test_files_have_a_maximum_number_of_rows(rows: int, sizes: list[int], tmp_path: Path) -> None:
    run = run_of(tap_of(some_rows())(config=settings(tmp_path, batch_size=rows)))
    assert [len(rows_in(file)) for file in files_of(run)] == sizes


def test_files_have_a_maximum_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tap_kit.run.batches, "MAX_BYTES", 1)
    table = Table({"id": ID}, lambda _: [{"id": 1}], replication_key="id", keys=("id",))
    run = run_of(tap_of(table)(config=settings(tmp_path)))
    assert [len(rows_in(file)) for file in files_of(run)] == [1, 1, 1]


def test_windows_share_a_file_which_is_written_before_their_state(tmp_path: Path) -> None:
    table = Table({"id": ID}, lambda task: [{"id": task.window.first.day}], replication_key="id")
    run = run_of(tap_of(table)(config=settings(tmp_path)))
    assert kinds(run) == ["SCHEMA", "BATCH", "STATE"]
    assert rows_in(files_of(run)[0]) == [{"id": 1}, {"id": 2}, {"id": 3}]
    state = run.of("STATE")[-1]["value"]
    assert state["bookmarks"]["figures"]["replication_key_value"] == "2024-01-03"
    assert state["batches"]["files"] == 1


def test_rows_before_an_error_are_written_with_their_state(tmp_path: Path) -> None:
    def read(task: Any) -> list[dict[str, Any]]:
        return [{"id": 1 if task.window.first.day < 3 else "wrong"}]

    table = Table({"id": ID}, read, replication_key="id")
    run = run_of(tap_of(table)(config=settings(tmp_path)))
    assert "field id: expected int" in run.error
    assert kinds(run) == ["SCHEMA", "BATCH", "STATE"]
    assert rows_in(files_of(run)[0]) == [{"id": 1}, {"id": 1}]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
        ("2024-01-01T00:00:00.5+00:00", "2024-01-01T00:00:00.5+00:00"),
        ("2024-01-01T02:30:00+02:00", "2024-01-01T00:30:00+00:00"),
        ("2024-01-01T00:00:00.1234569Z", "2024-01-01T00:00:00.123456+00:00"),
        ("9999-12-31T23:59:59-05:00", "9999-12-31T23:59:59-05:00"),
        (None, None),
    ],
)
def test_date_times_are_written_in_utc(
    text: str | None, written: str | None, tmp_path: Path
) -> None:
    """A target does not convert the date-times of batch files, and databases ignore an offset."""
    table = Table({"id": ID, "at": TIME}, [{"id": 1, "at": text}, {"id": 2}])
    run = run_of(tap_of(table)(config=settings(tmp_path)))
    assert rows_in(files_of(run)[0]) == [{"id": 1, "at": written}, {"id": 2}]
    assert run_of(tap_of(table)(config=DAYS)).records[0]["at"] == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2024-01-01T00:00:00", "2024-01-01T00:00:00"),
        ("2024-01-01T00:00:00.1234569", "2024-01-01T00:00:00.123456"),
    ],
)
def test_date_time_without_an_offset_has_no_other_moment(text: str, written: str) -> None:
    """Only a stream that makes its rows without the check of formats has such values."""
    row = msgspec.defstruct("Row", [("at", str)])(text)
    set_to_utc([row], ["at"])
    assert msgspec.structs.asdict(row) == {"at": written}


def test_file_names_contain_no_special_characters(tmp_path: Path) -> None:
    run = run_of(tap_of(some_rows("../ü b%20"))(config=settings(tmp_path)))
    (file,) = files_of(run)
    assert file.parent == tmp_path
    assert file.name.endswith("-000001-_____b_20.jsonl")


def test_next_run_deletes_what_the_target_has_loaded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tap, config = tap_of(some_rows()), settings(tmp_path, batch_size=2)
    first = run_of(tap(config=config))
    others = [tmp_path / name for name in ("p-tap-other-1.jsonl", "notes.txt")]
    for path in others:
        path.touch()
    unknown = run_of(tap(config=config))  # without a state: its target may still read them
    assert all(path.exists() for path in files_of(first))
    state = unknown.of("STATE")[-1]["value"]
    state["batches"]["files"] = 2  # the target has stored a state of the middle of the run
    with caplog.at_level(logging.INFO, logger="tap-canned"):
        third = run_of(tap(config=config, state=state))
    assert "Deleted 2 batch files of earlier runs" in caplog.text
    left = [*files_of(first), files_of(unknown)[2], *files_of(third), *others]
    assert sorted(tmp_path.iterdir()) == sorted(left)


def test_files_that_no_state_mentions_are_deleted_after_a_day(tmp_path: Path) -> None:
    tap, config = tap_of(some_rows()), settings(tmp_path)
    (old,) = files_of(run_of(tap(config=config)))
    link = old.with_name(old.name.replace("000001", "000002"))
    link.symlink_to("somewhere")
    past = time.time() - STALE_S - 60
    os.utime(old, (past, past))
    os.utime(link, (past, past), follow_symlinks=False)
    (new,) = files_of(run_of(tap(config=config)))
    assert sorted(tmp_path.iterdir()) == sorted([link, new])


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_full_disk_is_one_line_and_writes_no_state(
    compression: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bookmarks in memory cover rows that are lost with the file."""

    def fail(_number: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    table = Table({"id": ID}, lambda _: [{"id": 1}], replication_key="id")
    run = run_of(tap_of(table)(config=settings(tmp_path, compression)))
    assert run.error.startswith("The batch files cannot be written: No space left on device: ")
    assert run.error.endswith("free some space, or set batch_config.storage.root to another folder")
    assert kinds(run) == ["SCHEMA"]
    assert list(tmp_path.iterdir()) == []


def test_stream_maps_are_applied_to_record_messages(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    maps = {"removed": "__NULL__", "mapped": {"id": "id", "__else__": None}}
    tap = tap_of(some_rows("removed"), some_rows("mapped"), some_rows("other"))
    with caplog.at_level(logging.INFO):
        run = run_of(tap(config={**settings(tmp_path), "stream_maps": maps}))
    assert {m["stream"] for m in run.messages if "stream" in m} == {"mapped", "other"}
    assert [m["record"] for m in run.of("RECORD")] == [{"id": n} for n in range(5)]
    assert [m["stream"] for m in run.of("BATCH")] == ["other"]
    assert "mapped: written as RECORD messages because of stream maps" in caplog.text


def test_deselected_fields_are_not_in_files(tmp_path: Path) -> None:
    tap = tap_of(some_rows())
    config = settings(tmp_path)
    catalog = deselect(tap(config=config).catalog_dict, ("name",))
    (file,) = files_of(run_of(tap(config=config, catalog=catalog)))
    assert rows_in(file) == [{"id": row["id"], "more": row["more"]} for row in ROWS]


def test_activate_version_comes_after_the_rows_before_it(tmp_path: Path) -> None:
    config = {**settings(tmp_path), "emit_activate_version_messages": True}
    run = run_of(tap_of(some_rows("a"), some_rows("b"))(config=config))
    assert kinds(run) == ["SCHEMA", "ACTIVATE_VERSION", "BATCH", "STATE"] * 2


def problems_of(batch_config: Any) -> list[str]:
    tap: KitTap = tap_of(Table({"id": ID, "value": NUMBER}, ()))(
        config={**DAYS, "batch_config": batch_config}, validate_config=False
    )
    return list(tap.config_problems())


ROOT = "batch_config.storage.root must be a folder"
PREFIX = "batch_config.storage.prefix must have at most 100 characters, and only letters"


@pytest.mark.parametrize(
    ("batch_config", "problem"),
    [
        ({"encoding": {"format": "jsonl"}}, f"{ROOT} that the target can read too"),
        ({"storage": {"root": "s3://bucket/x"}}, f"{ROOT} on this machine"),
        ({"storage": {"root": "file://s3://x"}}, f"{ROOT} on this machine"),
        ({"storage": {"root": "/with space"}}, f"{ROOT} on this machine"),
        ({"storage": {"root": "~no-such-user/x"}}, f"{ROOT} on this machine"),
        ({"storage": {"root": "a\0b"}}, f"{ROOT} on this machine"),
        ({"storage": {"root": "/x"}, "encoding": {"format": "parquet"}}, "must be jsonl"),
        ({"storage": {"root": "/x", "prefix": "a/b"}}, PREFIX),
        ({"storage": {"root": "/x", "prefix": "a" * (MAX_PREFIX + 1)}}, PREFIX),
        ({"storage": {"root": "/x"}, "batch_size": 0}, "batch_config.batch_size"),
        ({"storage": {"root": 5}}, "batch_config.storage.root"),
        ({"storage": 5}, "batch_config.storage"),
    ],
)
def test_wrong_setting_is_named(batch_config: Any, problem: str) -> None:
    assert any(problem in one for one in problems_of(batch_config)), problems_of(batch_config)


@pytest.mark.parametrize(
    "batch_config", [{}, {"storage": {"root": "~/x"}}, {"storage": {"root": "file:///x"}}]
)
def test_right_settings_have_no_problem(batch_config: Any) -> None:
    assert problems_of(batch_config) == []


def test_folder_that_cannot_be_written_is_named_before_the_first_message(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    tap = tap_of(some_rows())(config=settings(file / "folder"))
    with pytest.raises(
        Exception, match=r"batch_config\.storage\.root cannot be written: Not a dir"
    ):
        run_of(tap)


@pytest.mark.parametrize("storage", [{"root": 5}, {"root": [""]}])
def test_root_of_another_type_is_one_problem(storage: Any) -> None:
    assert len(problems_of({"storage": storage})) == 1
