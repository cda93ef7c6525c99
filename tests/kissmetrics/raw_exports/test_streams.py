"""Whole runs over exports of the sandbox: every line is in one stream, in order, once."""

from __future__ import annotations

import json
import logging
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.kissmetrics.raw import RawExport, RawSizes
from tap_kissmetrics.raw_exports import content, reading
from tap_kissmetrics.raw_exports.decoding import decode
from tap_kissmetrics.raw_exports.folder import Folder
from tap_kissmetrics.raw_exports.lines import BOM
from tap_kissmetrics.tap import TapKissmetrics

from tests.kissmetrics.raw_exports.exports import (
    EVENT,
    LINES,
    STREAMS,
    FolderExport,
    bookmarks,
)
from tests.processes import collected
from tests.singer import Loader, Output

if TYPE_CHECKING:
    from pathlib import Path

KINDS = {"event": "raw_events", "properties": "raw_properties", "alias": "raw_aliases"} | {
    "reject": "raw_rejects"
}
MADE = RawExport(RawSizes(files=6, lines=120))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> FolderExport:
    folder = tmp_path_factory.mktemp("export")
    export = FolderExport(folder, {})
    MADE.write(folder)
    return export


@pytest.fixture(scope="module")
def whole(made: FolderExport) -> Output:
    return made.sync()


def assert_is_whole(output: Output) -> None:
    counts = MADE.total()
    assert output.record_counts == {
        "raw_files": len(MADE.revisions),
        **{stream: counts[kind] for kind, stream in KINDS.items()},
    }


def test_each_line_is_in_the_stream_of_its_kind(whole: Output) -> None:
    assert_is_whole(whole)
    for revision in MADE.revisions:
        found = {
            row["line"]: (stream, row)
            for stream in LINES
            for row in whole.rows(stream)
            if row["revision"] == revision
        }
        lines = list(MADE.made(revision))
        assert sorted(found) == [*range(1, len(lines) + 1)]
        texts = [made.text for made in lines]
        for number, line in enumerate(lines, 1):
            stream, row = found[number]
            assert (stream, row["product"]) == (KINDS[line.kind], "shop")
            assert (row.get("mended") is not None) == line.is_mended
            assert row["equal_lines_before"] == texts[: number - 1].count(line.text)


def test_rows_of_files_have_the_counts(whole: Output) -> None:
    for row in whole.rows("raw_files"):
        counts = MADE.counts(row["revision"])
        names = ("properties", "mended", "repeated")
        assert {name: row[name] for name in names} == {name: counts[name] for name in names}
        assert (row["events"], row["aliases"]) == (counts["event"], counts["alias"])
        assert row["rejects"] == counts["reject"]
        assert row["line_count"] == counts["lines"]
        assert row["file_name"] == f"revisions/{row['revision']}.json"
        assert row["size"] == len(MADE.file(row["revision"]))


def test_schemas_come_first_and_rows_in_the_order_of_revisions(whole: Output) -> None:
    kinds = [message["type"] for message in whole.messages if message["type"] != "STATE"]
    assert kinds == ["SCHEMA"] * 5 + ["RECORD"] * (len(kinds) - 5)
    for stream in STREAMS:
        places = [(row["revision"], row.get("line", 0)) for row in whole.rows(stream)]
        assert places == sorted(places)
    assert bookmarks(whole.state) == dict.fromkeys(STREAMS, MADE.revisions[-1])


def test_rows_fit_the_schema(made: FolderExport) -> None:
    """On the SDK's own path, which checks each record: here for a stream map."""
    mapped = made.sync(stream_maps={"raw_files": {"size": "size + 0"}})
    assert_is_whole(mapped)
    assert "dropped" not in str(mapped.messages)


def test_single_records_are_equal_to_chunks(made: FolderExport, whole: Output) -> None:
    single = made.sync(flattening_enabled=True, flattening_max_depth=0)
    for stream in STREAMS:
        assert single.rows(stream) == whole.rows(stream)


@pytest.mark.parametrize("streams", [["raw_events"], ["raw_rejects", "raw_files"], ["raw_files"]])
def test_deselected_streams_are_not_written(
    made: FolderExport, whole: Output, streams: list[str]
) -> None:
    catalog = made.tap().catalog_dict
    catalog["streams"] = [one for one in catalog["streams"] if one["stream"] in streams]
    output = made.sync(catalog=catalog)
    assert output.record_counts == {name: len(whole.rows(name)) for name in sorted(streams)}
    assert bookmarks(output.state) == dict.fromkeys(streams, MADE.revisions[-1])


def test_deselected_fields_are_not_written(made: FolderExport) -> None:
    catalog = made.tap().catalog_dict
    for entry in catalog["streams"]:
        for part in entry["metadata"]:
            if part["breadcrumb"][1:] in (["mended"], ["properties"], ["equal_lines_before"]):
                part["metadata"]["selected"] = False
    output = made.sync(catalog=catalog)
    assert_is_whole(output)
    for stream in LINES:
        assert {"mended", "properties", "equal_lines_before"} & {*output.rows(stream)[0]} == set()


def test_columns_are_added(made: FolderExport) -> None:
    output = made.sync(raw_export_columns=["Plan.Name", "Line", "amount"])
    row = next(row for row in output.rows("raw_events") if "Plan.Name" in row["properties"])
    assert row["plan_name"] == row["properties"]["Plan.Name"]
    assert row["line_2"] is None  # another field has the name
    assert {row["amount"] for row in output.rows("raw_properties")} >= {None, "0", "12.50"}
    assert "plan_name" not in output.rows("raw_aliases")[0]


def test_stream_that_is_selected_later_gets_all_files(made: FolderExport, whole: Output) -> None:
    catalog = made.tap().catalog_dict
    catalog["streams"] = [one for one in catalog["streams"] if one["stream"] == "raw_events"]
    first = made.sync(catalog=catalog)
    second = made.sync(state=first.state)
    counts = {name: len(whole.rows(name)) for name in STREAMS}
    assert second.record_counts == {**counts, "raw_events": 0}


def test_full_refresh_of_one_stream(made: FolderExport, whole: Output) -> None:
    catalog = made.tap().catalog_dict
    for entry in catalog["streams"]:
        if entry["stream"] == "raw_aliases":
            entry["replication_method"] = "FULL_TABLE"
            entry["metadata"][-1]["metadata"]["forced-replication-method"] = "FULL_TABLE"
    output = made.sync(state=whole.state, catalog=catalog)
    expected = dict.fromkeys(STREAMS, 0) | {"raw_aliases": len(whole.rows("raw_aliases"))}
    assert output.record_counts == expected


def test_shards_divide_the_revisions(made: FolderExport, whole: Output) -> None:
    outputs = [made.sync(shard=f"{index}/3") for index in range(3)]
    assert all(output.rows("raw_files") for output in outputs)
    loader = Loader()
    for output in outputs:
        loader.load(output)
    assert {name: loader.count(name) for name in STREAMS} == {
        name: len(whole.rows(name)) for name in STREAMS
    }


def test_state_of_another_shard_is_not_used(
    made: FolderExport, caplog: pytest.LogCaptureFixture
) -> None:
    half = made.sync(shard="0/2")
    assert made.sync(state=half.state, shard="0/2").record_counts["raw_files"] == 0
    rest = made.sync(state=half.state)
    assert "the state is that of shard 0/2" in caplog.text
    assert rest.record_counts["raw_files"] == len(MADE.revisions)
    assert made.sync(state=rest.state, shard="1/2").record_counts["raw_files"] == 0


def test_counts_are_logged(made: FolderExport, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    made.sync()
    counts = MADE.total()
    text = f"shop: 6 files, {counts['lines']} lines, {counts['event']} events, "
    assert text in caplog.text
    assert "raw data of shop, revisions/140.json: 1 files, " in caplog.text
    assert f"{counts['alias']} aliases, {counts['reject']} rejects, " in caplog.text


def test_connection_test_reads_a_record_of_each_stream(made: FolderExport) -> None:
    with collected() as written:
        assert made.tap().run_connection_test()
    records = Output(written.getvalue().decode()).record_counts
    assert records == dict.fromkeys(STREAMS, 1)


def test_metrics_have_the_rows_of_each_stream(
    made: FolderExport, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    output = made.sync()
    found: Counter[str] = Counter()
    for text in caplog.messages:
        if text.startswith("METRIC: ") and '"record_count"' in text:
            point = json.loads(text.partition(" ")[2])
            found[point["tags"]["stream"]] += point["value"]
    assert found == Counter(output.record_counts)


def test_records_are_the_same_without_a_sync(made: FolderExport, whole: Output) -> None:
    stream = made.tap().streams["raw_rejects"]
    chunks: list[Any] = list(stream.get_records({"product": "shop"}))
    counts: Counter[str] = Counter()
    for chunk in chunks:
        counts[chunk.stream or stream.name] += len(chunk.rows)
    assert counts == Counter(whole.record_counts)


def test_large_file_is_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "FIRST_BYTES", 100)
    monkeypatch.setattr(content, "FURTHER_BYTES", 130)
    monkeypatch.setattr(content, "_PIECE_BYTES", 64)
    monkeypatch.setattr(content, "BATCH_LINES", 3)
    export = FolderExport(tmp_path, {1: EVENT * 50 + EVENT.strip(), 2: b"", 3: EVENT})
    output = export.sync()
    rows = output.rows("raw_events")
    assert [(row["revision"], row["line"]) for row in rows] == [
        *((1, number) for number in range(1, 52)),
        (3, 1),
    ]
    assert [row["equal_lines_before"] for row in rows] == [*range(51), 0]
    assert [row["line_count"] for row in output.rows("raw_files")] == [51, 0, 1]


def test_eight_files_are_opened_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = FolderExport(tmp_path, dict.fromkeys(range(1, 17), EVENT))
    together, read = threading.Barrier(8), Folder.read_part

    def waiting(self: Folder, *arguments: Any) -> bytes:
        together.wait(30)  # until eight threads are here
        return read(self, *arguments)

    monkeypatch.setattr(Folder, "read_part", waiting)
    output = export.sync(max_concurrency=8)
    assert [row["revision"] for row in output.rows("raw_files")] == [*range(1, 17)]


def test_lines_without_a_row_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export = FolderExport(tmp_path, {1: EVENT, 2: EVENT * 2, 3: EVENT})
    monkeypatch.setattr(reading, "decode", lambda lines: decode(lines[:1]))
    output, error = export.failing()
    assert "raw data of shop, revisions/2.json" in error
    assert len(output.rows("raw_files")) == 2
    assert bookmarks(output.state)["raw_events"] == 1


def test_two_products_have_bookmarks_of_their_own(made: FolderExport, tmp_path: Path) -> None:
    other = FolderExport(tmp_path, {7: EVENT})
    both = [
        {"product": "shop", "url": str(made.folder)},
        {"product": "blog", "url": str(other.folder)},
    ]
    output = made.sync(raw_exports=both)
    counts = Counter(row["product"] for row in output.rows("raw_files"))
    assert counts == {"shop": 6, "blog": 1}
    entries = output.state["bookmarks"]["raw_events"]["partitions"]
    values = {one["context"]["product"]: one["replication_key_value"] for one in entries}
    assert values == {"shop": MADE.revisions[-1], "blog": 7}


def run_api_alone(**settings: Any) -> list[str]:
    return [*TapKissmetrics(config=settings, validate_config=False, setup_mapper=False).streams]


def test_streams_exist_with_their_settings_only() -> None:
    exports = [{"product": "shop", "url": "folder"}]
    assert run_api_alone(raw_exports=exports) == [*STREAMS]
    assert not {*STREAMS} & {*run_api_alone(api_token="x")}  # noqa: S106
    both = run_api_alone(raw_exports=exports, api_token="x")  # noqa: S106
    assert {*STREAMS, "accounts"} <= {*both}


@pytest.mark.parametrize("content", [b"", BOM])
def test_file_without_lines_is_read(tmp_path: Path, content: bytes) -> None:
    output = FolderExport(tmp_path, {1: content, 2: EVENT}).sync()
    assert [row["line_count"] for row in output.rows("raw_files")] == [0, 1]
    assert {*bookmarks(output.state).values()} == {2}


def test_bookmark_of_one_stream_beyond_the_index_is_an_error(tmp_path: Path) -> None:
    export = FolderExport(tmp_path, {1: EVENT})
    state = export.sync().state
    state["bookmarks"]["raw_files"]["partitions"][0]["replication_key_value"] = 9
    _, error = export.failing(state)
    assert "the bookmark is revision 9, but the last one of the index is 1" in error
