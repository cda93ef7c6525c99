"""Selection in the catalog, replication methods, and the SDK's features on top."""

from __future__ import annotations

import copy
import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from tap_kindmetrics.tap import TapKindmetrics

from tests.kindmetrics.site import STREAMS, WINDOWED, catalog_of
from tests.singer import Message, Output, bookmark

if TYPE_CHECKING:
    from tests.kindmetrics.site import Site

Catalog = dict[str, Any]
DAY: dict[str, Any] = {"end_date": "2024-02-02"}


def entry(catalog: Catalog, stream: str) -> dict[str, Any]:
    return next(entry for entry in catalog["streams"] if entry["stream"] == stream)


def select(catalog: Catalog, stream: str, field: str | None, *, selected: bool) -> None:
    """Select or deselect a stream, or a field of it."""
    breadcrumb = ["properties", field] if field else []
    for metadata in entry(catalog, stream)["metadata"]:
        if list(metadata["breadcrumb"]) == breadcrumb:
            metadata["metadata"]["selected"] = selected


def declared(output: Output, stream: str) -> Message:
    return next(m for m in output.messages if m["type"] == "SCHEMA" and m["stream"] == stream)


@pytest.mark.parametrize("stream", [*WINDOWED, "current_visitors"])
def test_a_deselected_stream_is_not_requested(site: Site, stream: str) -> None:
    catalog = catalog_of(*(set(STREAMS) - {stream}))
    output = site.sync(catalog=catalog, **DAY)
    assert stream not in output.streams
    part = {"domain_stats": r"", "current_visitors": "current"}.get(stream, stream)
    targets = [r.path for r in site.api.log.requests]
    assert f"/api/domains/1/{part}".rstrip("/").lower() not in [path.lower() for path in targets]


def test_only_selected_streams_are_requested(site: Site) -> None:
    output = site.sync("goals", **DAY)
    assert output.streams == ["goals"]
    assert {path.split("?")[0] for path in site.requested()} == {
        "/api/domains",
        "/api/domains/1/goals",
        "/api/domains/2/goals",
    }


def test_deselected_fields_are_not_written(site: Site) -> None:
    catalog = catalog_of("pages", "domain_stats")
    select(catalog, "pages", "percentage", selected=False)
    select(catalog, "domain_stats", "track_snippet", selected=False)
    whole = site.sync("pages", "domain_stats", **DAY)
    output = site.sync(catalog=catalog, **DAY)
    for stream, field in (("pages", "percentage"), ("domain_stats", "track_snippet")):
        assert field not in declared(output, stream)["schema"]["properties"]
        expected = [{k: v for k, v in row.items() if k != field} for row in whole.rows(stream)]
        assert output.rows(stream) == expected


@pytest.mark.parametrize("field", ["row_id", "date"])
def test_keys_and_replication_keys_are_written_even_if_deselected(site: Site, field: str) -> None:
    catalog = catalog_of("pages")
    for name in entry(catalog, "pages")["schema"]["properties"]:
        select(catalog, "pages", name, selected=False)
    rows = site.sync(catalog=catalog, **DAY).rows("pages")
    assert rows
    assert all(row[field] for row in rows)
    assert not any("address" in row for row in rows)


def test_without_the_natural_key_the_row_id_stays_the_same(site: Site) -> None:
    catalog = catalog_of("pages")
    select(catalog, "pages", "address", selected=False)
    whole = site.sync("pages", **DAY).rows("pages")
    rows = site.sync(catalog=catalog, **DAY).rows("pages")
    assert [row["row_id"] for row in rows] == [row["row_id"] for row in whole]


def test_unknown_streams_and_fields_in_the_catalog_are_ignored(site: Site) -> None:
    catalog = catalog_of("pages")
    stranger = copy.deepcopy(entry(catalog, "pages"))
    stranger.update(tap_stream_id="strangers", stream="strangers")
    catalog["streams"].append(stranger)
    metadata = {"breadcrumb": ["properties", "colour"], "metadata": {"selected": True}}
    entry(catalog, "pages")["metadata"].append(metadata)
    entry(catalog, "pages")["schema"]["properties"]["colour"] = {"type": ["string", "null"]}
    output = site.sync(catalog=catalog, **DAY)
    assert output.streams == ["pages"]
    assert output.rows("pages") == site.sync(**DAY).rows("pages")


def test_new_streams_and_fields_are_not_read_with_an_older_catalog(site: Site) -> None:
    catalog = catalog_of("pages", "goals")
    catalog["streams"] = [entry(catalog, "pages")]
    pages = entry(catalog, "pages")
    del pages["schema"]["properties"]["percentage"]
    pages["metadata"] = [m for m in pages["metadata"] if "percentage" not in m["breadcrumb"]]
    output = site.sync(catalog=catalog, **DAY)
    assert output.streams == ["pages"]
    assert not any("percentage" in row for row in output.rows("pages"))
    assert len(output.rows("pages")) == len(site.sync(**DAY).rows("pages"))


def test_a_catalog_without_streams_reads_nothing(site: Site) -> None:
    assert site.sync(catalog={"streams": []}).streams == []


def test_full_table_replication_reads_all_and_keeps_the_bookmark(site: Site) -> None:
    catalog = catalog_of("pages")
    before = site.sync(catalog=catalog)
    changed = copy.deepcopy(catalog)
    entry(changed, "pages")["replication_method"] = "FULL_TABLE"
    for metadata in entry(changed, "pages")["metadata"]:
        if not metadata["breadcrumb"]:
            metadata["metadata"]["forced-replication-method"] = "FULL_TABLE"
    site.api.log.clear()
    output = site.sync(catalog=changed, state=before.state, end_date="2024-02-07")
    assert site.days_requested("pages")[0][0] == "2024-02-01"
    assert len({row["date"] for row in output.rows("pages")}) == 7
    assert bookmark(output.state, "pages", 1) in {None, "2024-02-05"}


def test_stream_maps_rename_drop_and_filter(site: Site) -> None:
    whole = site.sync(**DAY)
    maps = {
        "pages": {
            "path": "address",
            "percentage": "__NULL__",
            "__filter__": "visitors > 1",
            "__alias__": "viewed",
        },
        "goals": None,
    }
    output = site.sync(stream_maps=maps, **DAY)
    assert "goals" not in output.streams
    wanted = [row for row in whole.rows("pages") if row["visitors"] > 1]
    assert [row["path"] for row in output.rows("viewed")] == [row["address"] for row in wanted]
    assert not any("percentage" in row for row in output.rows("viewed"))
    assert output.rows("sources") == whole.rows("sources")
    assert bookmark(output.state, "pages", 1) == "2024-02-02"


def test_flattening_changes_nothing_without_nested_fields(site: Site) -> None:
    whole = site.sync(**DAY)
    flat = site.sync(flattening_enabled=True, flattening_max_depth=3, **DAY)
    assert flat.record_counts == whole.record_counts
    assert flat.rows("pages") == whole.rows("pages")
    assert flat.state == whole.state


def test_batches_have_all_rows(site: Site) -> None:
    whole = site.sync("pages", **DAY)
    output = site.sync(
        "pages",
        batch_config={
            "encoding": {"format": "jsonl", "compression": "gzip"},
            "storage": {"root": site.folder.as_uri(), "prefix": "batch-"},
        },
        **DAY,
    )
    assert output.rows("pages") == []
    files = [f for m in output.messages if m["type"] == "BATCH" for f in m["manifest"]]
    assert files
    lines = [
        json.loads(line)
        for file in files
        for line in gzip.decompress(Path(urlsplit(file).path).read_bytes()).splitlines()
    ]
    assert lines == whole.rows("pages")


def test_every_stream_has_a_key_and_windowed_streams_a_replication_key(site: Site) -> None:
    for stream in TapKindmetrics(config=site.settings()).streams.values():
        assert stream.primary_keys
        assert (stream.replication_key == "date") == (stream.name in WINDOWED)
