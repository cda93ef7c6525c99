"""The selection of streams and fields, stream maps, and the SDK's slower path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import ConfigValidationError

from tests.khoros_analytics.site import (
    ONE_DAY,
    STREAMS,
    catalog_of,
    deselected,
    discovered_catalog,
)
from tests.khoros_analytics.without_catalog import run_without_catalog

if TYPE_CHECKING:
    from tests.khoros_analytics.site import Site


def test_only_selected_streams_are_requested(site: Site) -> None:
    output = site.sync("user", "teams")
    assert output.streams == ["teams", "user"]
    paths = {r.path.rpartition("/")[2] for r in site.api.log.requests if "/public/" in r.path}
    assert paths == {"user", "teams", "status", "download"}


def test_brand_posts_are_read_only_when_selected(site: Site) -> None:
    output = run_without_catalog().output
    assert output.streams == [name for name in STREAMS if name != "raw_brand_posts"]
    assert len(site.sync("raw_brand_posts", **ONE_DAY).rows("raw_brand_posts")) == 9


def test_own_fields_can_be_deselected(site: Site) -> None:
    catalog = deselected(catalog_of("author"), "author", "window_start")
    rows = site.sync(catalog=catalog, **ONE_DAY).rows("author")
    assert "window_start" not in rows[0]
    assert not [p for p in site.requested("report/author") if "reportMetrics" in p]


def test_without_selected_columns_each_row_still_has_a_key(site: Site) -> None:
    fields = [name.lower() for name in site.api.data.enabled_columns("author")]
    catalog = deselected(catalog_of("author"), "author", *fields)
    rows = site.sync(catalog=catalog, **ONE_DAY).rows("author")
    assert len(rows) == len({row["row_id"] for row in rows}) == 9
    assert {*rows[0]} == {"row_id", "window_start", "window_end"}


def test_stream_maps_change_the_rows(site: Site) -> None:
    maps = {"author": {"author_name": None, "shout": "author_handle.upper()"}}
    rows = site.sync("author", stream_maps=maps, **ONE_DAY).rows("author")
    plain = site.sync("author", **ONE_DAY).rows("author")
    assert [row["shout"] for row in rows] == [row["author_handle"].upper() for row in plain]
    assert [row["row_id"] for row in rows] == [row["row_id"] for row in plain]
    assert "author_name" not in rows[0]


def test_the_slow_path_writes_the_same_rows(site: Site) -> None:
    for report_format in ("json", "csv"):
        settings: dict[str, Any] = {"report_format": report_format, **ONE_DAY}
        slow = site.sync(
            "combined", "user", flattening_enabled=True, flattening_max_depth=1, **settings
        )
        fast = site.sync("combined", "user", **settings)
        for stream in ("combined", "user"):
            assert slow.rows(stream) == fast.rows(stream)


def test_every_property_is_described() -> None:
    for entry in discovered_catalog()["streams"]:
        for field, definition in entry["schema"]["properties"].items():
            assert definition.get("description"), f"{entry['stream']}.{field}"
        assert set(entry["key_properties"]) <= entry["schema"]["properties"].keys()


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("author_name", {"type": ["integer", "null"]}),
        ("author_name", {"type": "string"}),
        ("author_name", {"type": ["string", "null"], "format": "date-time"}),
        ("window_start", {"type": ["integer", "null"]}),
    ],
)
def test_other_types_in_a_catalog_are_one_line(
    site: Site, field: str, change: dict[str, Any]
) -> None:
    """Every column is a text, so that the rows would not fit their schema."""
    catalog = catalog_of("author")
    (entry,) = (entry for entry in catalog["streams"] if entry["stream"] == "author")
    entry["schema"]["properties"][field].update(change)
    with pytest.raises(ConfigValidationError) as caught:
        site.sync(catalog=catalog, **ONE_DAY)
    line = f"--catalog has other types of {field} of author; run discovery again"
    assert caught.value.errors == [line]
    assert site.requested("/reports/report/author") == []
