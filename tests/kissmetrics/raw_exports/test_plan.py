"""Which files are read: bookmarks, gaps, missing and changed files, days."""

from __future__ import annotations

import gzip
import logging
import os
import time
from datetime import date, datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from tap_kissmetrics.raw_exports import index as index_module
from tap_kissmetrics.raw_exports.folder import Folder
from tap_kissmetrics.raw_exports.index import Indexed, parse_index, parse_status
from tap_kissmetrics.raw_exports.plan import Days, plan, ranges
from tap_kissmetrics.raw_exports.store import Stored
from tap_kissmetrics.raw_exports.written import MAX_REMEMBERED, ReadFiles
from tap_kit import SyncFailed

from tests.kissmetrics.raw_exports.exports import (
    EVENT,
    HEADER,
    STREAMS,
    FolderExport,
    bookmarks,
    read_again,
)

if TYPE_CHECKING:
    from pathlib import Path

DAY_S = 86_400
START = datetime(2024, 1, 1, tzinfo=timezone.utc)


def index_of(*revisions: int) -> dict[int, Indexed]:
    """Return an index whose revision n was received on day n of 2024."""
    return {
        one: Indexed(
            one,
            datetime(2024, 1, one, tzinfo=timezone.utc),
            datetime(2024, 1, one, 23, 59, 59, tzinfo=timezone.utc),
        )
        for one in revisions
    }


def planned(index: dict[int, Indexed], present: Any, **options: Any) -> list[int]:
    found = plan(index, present, **{"after": -1, "days": Days(), **options})
    return [entry.revision for entry in found.files]


def test_files_after_the_bookmark_are_planned() -> None:
    index = index_of(3, 4, 6)
    assert planned(index, index) == [3, 4, 6]
    assert planned(index, index, after=4) == [6]
    assert planned(index, index, after=6) == []
    assert planned({}, []) == []


def test_what_is_not_read_is_named() -> None:
    index = index_of(1, 2, 4, 5, 9)
    found = plan(index, [4, 6, 9, 11], after=1, days=Days())
    assert [entry.revision for entry in found.files] == [4, 5, 9]
    assert (found.deleted, found.gaps) == ([2], [7, 8])
    assert (found.not_indexed, found.not_yet_indexed) == ([6], [11])


def test_huge_gap_is_not_listed() -> None:
    index = index_of(1) | {10**11: Indexed(10**11)}
    assert plan(index, index, after=-1, days=Days()).gaps == []


def test_bookmark_beyond_the_index_is_an_error() -> None:
    with pytest.raises(SyncFailed, match=r"x: the bookmark is revision 9, .* is 4"):
        planned(index_of(4), [4], after=9, source="x")


def test_bookmark_of_a_single_stream_beyond_the_index_is_an_error() -> None:
    """Otherwise that stream would get no rows, without an error."""
    with pytest.raises(SyncFailed, match=r"x: the bookmark is revision 9, .* is 4"):
        planned(index_of(4), [4], after=-1, furthest=9, source="x")


def test_index_without_any_of_its_files_is_an_error() -> None:
    with pytest.raises(SyncFailed, match="x: the index has 2 files, of which the bucket has none"):
        planned(index_of(4, 5), [], source="x")


@pytest.mark.parametrize(
    ("first", "last", "revisions"),
    [
        (None, None, [1, 4, 7, 10]),
        (8, None, [7, 10]),
        (9, None, [10]),
        (None, 2, [1]),
        (None, 3, [1, 4]),
        (5, 6, [4, 7]),
        (20, None, []),
    ],
)
def test_days_choose_files_with_a_margin(first: Any, last: Any, revisions: list[int]) -> None:
    days = Days(first and date(2024, 1, first), last and date(2024, 1, last))
    index = index_of(1, 4, 7, 10)
    assert planned(index, index, days=days) == revisions


def test_files_between_two_of_the_days_are_read() -> None:
    """Files are sorted by the time of receipt, but their times are not exact."""
    index = index_of(1, 2, 3, 4)
    index[3] = Indexed(3, datetime(2024, 3, 1, tzinfo=timezone.utc), None)
    days = Days(None, date(2024, 1, 10))
    assert planned(index, index, days=days) == [1, 2, 3, 4]
    assert planned({1: Indexed(1)}, [1], days=days) == [1]


def test_shards_divide_revisions() -> None:
    index = index_of(1, 2, 3, 4, 5)
    assert planned(index, index, shard=(0, 2)) == [2, 4]
    assert planned(index, index, shard=(1, 2)) == [1, 3, 5]


def test_ranges_are_short() -> None:
    assert ranges([3, 5, 6, 7, 9]) == "3, 5-7, 9"
    assert ranges(range(0, 40, 2)).endswith("18 and 10 more")
    assert ranges([]) == ""


def test_link_to_nothing_hides_no_other_file(tmp_path: Path) -> None:
    FolderExport(tmp_path, {1: EVENT})
    (tmp_path / "revisions" / "2.json").symlink_to("gone")
    (tmp_path / "revisions" / "3.json").symlink_to("3.json")
    assert list(Folder(str(tmp_path)).files()) == [1]


# index.csv and status.csv


def test_index_is_sorted_and_has_times() -> None:
    header = "filename,x,min_timestamp,max_timestamp"
    text = f"{header}\nrevisions/9.json,,5,6.5\n revisions/2.json ,,-,\n"
    moment = datetime(1970, 1, 1, 0, 0, 5, tzinfo=timezone.utc)
    found = parse_index(text.encode(), "x")
    assert list(found) == [2, 9]
    assert (found[9].min_timestamp, found[2].max_timestamp) == (moment, None)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the body has no header"),
        ("file,min_timestamp\nrevisions/1.json,5\n", "it must have the column filename"),
        ("file\n", "it must have the column filename"),
        ("filename,a,filename \nrevisions/1.json,5,x\n", "it has the column filename twice"),
        ("filename\nrevisions/1.json\n../1.json\n", "row 3 must name a file such as"),
        ("filename\nrevisions/01.json\n", "row 2 must name a file"),
        ("filename\nrevisions/1234567890123.json\n", "row 2 must name a file"),
        ('filename\n"revisions', "the body ends before its last row is complete"),
    ],
)
def test_index_that_is_none_is_an_error(text: str, problem: str) -> None:
    with pytest.raises(SyncFailed, match=problem):
        parse_index(text.encode(), "x")


def test_index_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "MAX_FILES", 1)
    with pytest.raises(SyncFailed, match="more than 1 files"):
        parse_index(b"filename\nrevisions/1.json\nrevisions/2.json\n", "x")


def test_columns_that_are_not_known_take_no_time() -> None:
    header = "filename" + ",x" * 50_000
    body = f"{header}\nrevisions/1.json\n" + "revisions/2.json,5\n" * 20_000
    began = time.process_time()
    assert list(parse_index(body.encode(), "x")) == [1, 2]
    assert time.process_time() - began < 5


def test_revision_that_is_there_twice_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    text = "filename,min_timestamp\nrevisions/1.json,5\nrevisions/1.json,5\n"
    assert len(parse_index(text.encode(), "x")) == 1
    assert caplog.text == ""
    found = parse_index(f"{text}revisions/1.json,6\n".encode(), "x")
    assert found[1].min_timestamp == datetime(1970, 1, 1, 0, 0, 6, tzinfo=timezone.utc)
    assert "x: revision 1 is there twice" in caplog.text


def test_status_may_be_incomplete() -> None:
    assert parse_status(b"exported_revisions\n", "x") == (None, None, None)
    found = parse_status(b"total_revisions,exported_revisions\n7,x\n", "x")
    assert found == (7, None, None)


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (None, "status.csv is missing; how far the export is remains unknown"),
        ("a\n", "it must have the column exported_revisions; how far the export is"),
        ("exported_revisions\n4\n", "shop: exported 4 of unknown revisions, until unknown"),
        (
            "total_revisions,exported_revisions,max_exported_revision_timestamp\n5,4,1362921003\n",
            "shop: exported 4 of 5 revisions, until 2013-03-10T13:10:03+00:00 (",
        ),
    ],
)
def test_status_is_logged(
    status: str | None, line: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    FolderExport(tmp_path, {1: EVENT}, status=status).sync()
    assert line in caplog.text


# Runs


def three(tmp_path: Path, **options: Any) -> FolderExport:
    return FolderExport(tmp_path, {1: EVENT, 2: EVENT * 2, 3: EVENT * 3}, **options)


def test_next_run_reads_new_files_only(tmp_path: Path) -> None:
    export = three(tmp_path)
    first = export.sync()
    assert bookmarks(first.state) == dict.fromkeys(STREAMS, 3)
    again = export.sync(state=first.state)
    assert again.record_counts == dict.fromkeys(STREAMS, 0)
    assert again.state == first.state
    more = FolderExport(tmp_path, {**export.files, 5: EVENT})
    assert more.sync(state=first.state).record_counts["raw_events"] == 1


def test_missing_file_is_named_and_the_bookmark_stays_before_it(tmp_path: Path) -> None:
    export = three(tmp_path)
    (tmp_path / "revisions" / "2.json").unlink()
    output, error = export.failing()
    assert "these failed: raw data of shop, revisions/2.json" in error
    assert {row["revision"] for row in output.rows("raw_events")} == {1, 3}
    assert bookmarks(output.state) == dict.fromkeys(STREAMS, 1)
    export.put(2, EVENT * 2)
    rest = export.sync(state=output.state)
    assert {row["revision"] for row in rest.rows("raw_events")} == {2, 3}


def test_rest_is_left_after_three_missing_files(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    export = FolderExport(tmp_path, dict.fromkeys(range(1, 40), EVENT))
    for revision in (3, 4, 5):
        (tmp_path / "revisions" / f"{revision}.json").unlink()
    output, _ = export.failing()
    assert "3 windows in a row failed; the next run reads the rest" in caplog.text
    assert bookmarks(output.state) == dict.fromkeys(STREAMS, 2)


def test_deleted_files_at_the_beginning_are_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    export = three(tmp_path)
    (tmp_path / "revisions" / "1.json").unlink()
    caplog.set_level(logging.INFO)
    assert export.sync().record_counts["raw_files"] == 2
    assert "shop: revisions 1 were deleted from the store; skipping them" in caplog.text


def test_gaps_and_other_files_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    index = HEADER + "".join(f"revisions/{n}.json,1362920827,1362920829,,\n" for n in (1, 4, 6))
    export = FolderExport(tmp_path, dict.fromkeys((1, 4, 5, 6, 8), EVENT), index=index)
    (tmp_path / "revisions" / "other.txt").write_text("x")
    caplog.set_level(logging.INFO)
    assert export.sync().record_counts["raw_files"] == 3
    assert "shop: index.csv has no revisions 2-3" in caplog.text
    assert "the store has revisions 5, but index.csv has not; skipping them" in caplog.text
    assert "index.csv does not have revisions 8 yet; the next run reads them" in caplog.text


def test_index_without_files_is_a_warning_if_the_store_has_some(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    export = FolderExport(tmp_path, {1: EVENT, 2: EVENT}, index=HEADER)
    export.sync()
    text = "shop: index.csv does not have revisions 1-2 yet; the next run reads them"
    assert [r.levelname for r in caplog.records if r.message == text] == ["WARNING"]


def test_files_of_another_format_are_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    zipped, utf_16 = gzip.compress(EVENT), EVENT.decode().encode("utf-16")
    export = FolderExport(tmp_path, {1: zipped, 2: EVENT, 3: utf_16, 4: b""})
    assert export.sync().record_counts["raw_events"] == 1
    text = "shop: no line of revisions 1, 3 can be used; raw_rejects has them with the reason"
    assert [r.message for r in caplog.records if "can be used" in r.message] == [text]


def test_file_that_was_written_again_is_reported_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    export = three(tmp_path)
    state = export.sync().state
    export.put(2, EVENT * 4)
    again = FolderExport(tmp_path, {4: EVENT}, index=_index(tmp_path, 4))
    output = again.sync(state=state)
    assert "shop: revisions 2 were written again after they were read" in caplog.text
    assert output.record_counts["raw_events"] == 1
    caplog.clear()
    again.sync(state=output.state)
    assert "written again" not in caplog.text


def _index(folder: Path, *more: int) -> str:
    rows = "".join(f"revisions/{n}.json,1362920827,1362920829,,\n" for n in more)
    return (folder / "index.csv").read_text(encoding="utf-8") + rows


def test_file_that_changes_during_the_run_is_not_read(tmp_path: Path) -> None:
    export = three(tmp_path)
    tap = export.tap()
    tap.check_access()
    read_again(tmp_path / "revisions" / "2.json")
    with pytest.raises(SyncFailed, match=r"revisions/2\.json"):
        tap.execute()


def test_file_that_vanishes_between_its_parts_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = FolderExport(tmp_path, {1: EVENT, 2: EVENT * 9, 3: EVENT})
    monkeypatch.setattr("tap_kissmetrics.raw_exports.content.FIRST_BYTES", 50)
    read = Folder.read_part

    def vanishing(self: Folder, file: str, stored: Stored, start: int, length: int) -> bytes:
        if start:
            (tmp_path / file).unlink()
        return read(self, file, stored, start, length)

    monkeypatch.setattr(Folder, "read_part", vanishing)
    output, error = export.failing()
    assert "these failed: raw data of shop, revisions/2.json" in error
    assert bookmarks(output.state) == dict.fromkeys(STREAMS, 1)


def test_days_of_the_settings_choose_files(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = "".join(
        f"revisions/{n}.json,{n * 10 * DAY_S},{n * 10 * DAY_S + 9},,\n" for n in (1, 2, 3)
    )
    export = three(tmp_path, index=HEADER + rows)
    caplog.set_level(logging.INFO)
    output = export.sync(start_date="1970-01-20", end_date="1970-01-25")
    assert [row["revision"] for row in output.rows("raw_files")] == [2]
    assert "choose 1 files by index.csv, with 1 day of margin" in caplog.text


@pytest.mark.parametrize("value", ["2", True, 1.5])
def test_bookmark_that_the_tap_did_not_write_is_an_error(value: Any, tmp_path: Path) -> None:
    part = {"context": {"product": "shop"}, "replication_key": "revision"}
    state = {
        "bookmarks": {"raw_events": {"partitions": [{**part, "replication_key_value": value}]}}
    }
    _, error = three(tmp_path).failing(state=state)
    assert "raw_events: the bookmark in the state is not a revision" in error


# What the state remembers


def test_remembered_files_are_the_last_ones() -> None:
    files = ReadFiles.of_state(None)
    stored = {n: Stored(n, f"e{n}") for n in (1, 2, 5, 5000)}
    for revision, one in stored.items():
        files.add(revision, one)
    again = ReadFiles.of_state(files.as_state())
    assert len(again.as_state()["tags"]) == 4 * MAX_REMEMBERED
    assert again.written_again(stored) == []
    assert again.written_again({**stored, 5000: Stored(5000, "x"), 1: Stored(0, "x")}) == [5000]


def test_file_that_is_read_once_more_is_remembered_in_its_place() -> None:
    stored = {n: Stored(n, f"e{n}") for n in range(3, 9)}
    files = ReadFiles.of_state(None)
    for revision, one in stored.items():
        files.add(revision, one)
    whole = files.as_state()
    files.add(1, Stored(1, "e1"))  # before those that are remembered
    for revision in (5, 6, 7, 8):
        files.add(revision, stored[revision])
    assert files.as_state() == whole
    files.add(5, Stored(5, "x"))
    assert files.written_again(stored) == [5]


def test_stream_with_an_older_bookmark_makes_no_file_look_written_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    export = FolderExport(tmp_path, dict.fromkeys(range(1, 9), EVENT))
    state = export.sync().state
    part = state["bookmarks"]["raw_aliases"]["partitions"][0]
    part["replication_key_value"] = 4  # it was deselected since then
    export.sync(export.sync(state).state)
    assert "written again" not in caplog.text


@pytest.mark.parametrize("value", [["0/2"], 3])
def test_shard_that_the_tap_did_not_write_is_that_of_another_run(
    value: Any, tmp_path: Path
) -> None:
    export = three(tmp_path)
    state = export.sync().state
    state["bookmarks"]["raw_events"]["partitions"][0]["shard"] = value
    assert len(export.sync(state).rows("raw_events")) == 6


@pytest.mark.parametrize(
    "value",
    [
        *(None, {}, [1], "x", 7),
        {"last": "x", "tags": ""},
        {"last": 1, "tags": "abc"},
        {"last": True, "tags": "AAAA"},
        {"last": -9, "tags": "AAAA"},
        {"last": 10**30, "tags": "AAAA"},
    ],
)
def test_state_without_remembered_files_is_accepted(value: Any) -> None:
    assert ReadFiles.of_state(value).as_state() == {"last": -1, "tags": ""}


# The folder


def test_folder_without_an_index_is_a_wrong_setting(tmp_path: Path) -> None:
    export = three(tmp_path)
    (tmp_path / "index.csv").unlink()
    output, error = export.failing()
    assert error.startswith("raw_exports[0].url must lead to a raw data export, but index.csv is")
    assert output.messages == []


def test_folder_without_files_is_an_error(tmp_path: Path) -> None:
    export = FolderExport(tmp_path, {1: EVENT})
    (tmp_path / "revisions" / "1.json").unlink()
    (tmp_path / "revisions").rmdir()
    assert "of which the bucket has none" in export.failing()[1]


def test_files_that_are_none_are_errors(tmp_path: Path) -> None:
    export = three(tmp_path)
    (tmp_path / "revisions" / "2.json").unlink()
    os.mkfifo(tmp_path / "revisions" / "2.json")
    output, error = export.failing()
    assert "revisions/2.json" in error
    assert {row["revision"] for row in output.rows("raw_files")} == {1, 3}
    assert set(bookmarks(output.state).values()) == {1}
    (tmp_path / "revisions" / "2.json").unlink()
    (tmp_path / "index.csv").unlink()
    (tmp_path / "index.csv").mkdir()
    assert "index.csv must be a file" in export.failing()[1]


def test_index_that_is_too_large_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tap_kissmetrics.raw_exports.bucket.MAX_INDEX_BYTES", 9)
    assert "index.csv must have at most 9 bytes" in three(tmp_path).failing()[1]


def test_errors_of_the_file_system_name_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = three(tmp_path)

    def failing(*_: Any) -> Any:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("os.pread", failing)
        assert "index.csv cannot be read: Input/output error" in export.failing()[1]
    with monkeypatch.context() as patch:
        patch.setattr("os.scandir", failing)
        assert "revisions cannot be read: Input/output error" in export.failing()[1]
    with monkeypatch.context() as patch:
        patch.setattr("tap_kissmetrics.raw_exports.folder._stored", failing)
        assert "revisions cannot be read: Input/output error" in export.failing()[1]
    with monkeypatch.context() as patch:
        patch.setattr("tap_kissmetrics.raw_exports.folder.os.open", failing)
        assert "index.csv cannot be read: Input/output error" in export.failing()[1]
