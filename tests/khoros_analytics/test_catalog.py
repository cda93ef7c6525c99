"""The SDK's features on top: selection, stream maps, batches of one record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.khoros_analytics.expected import days, expected_rows
from tests.khoros_analytics.site import STREAMS, catalog_of, deselected

if TYPE_CHECKING:
    from tests.khoros_analytics.conftest import Serve
    from tests.khoros_analytics.site import Site

ONE_DAY: dict[str, Any] = {"end_date": "2024-02-01"}


def test_only_selected_streams_are_asked_for(site: Site) -> None:
    output = site.sync("user", "teams")
    assert output.streams == ["teams", "user"]
    paths = {r.path.rpartition("/")[2] for r in site.api.log.requests if "/public/" in r.path}
    assert paths == {"user", "teams", "status", "download"}


def test_brand_posts_are_not_read_unless_somebody_selects_them(site: Site) -> None:
    output = site.sync_without_catalog(**ONE_DAY)
    assert output.streams == [name for name in STREAMS if name != "raw_brand_posts"]
    assert len(site.sync("raw_brand_posts", **ONE_DAY).rows("raw_brand_posts")) == 9


def test_our_own_fields_can_be_deselected_too(site: Site) -> None:
    catalog = deselected(catalog_of("author"), "author", "window_start")
    rows = site.sync(catalog=catalog, **ONE_DAY).rows("author")
    assert "window_start" not in rows[0]
    assert not [p for p in site.asked("report/author") if "reportMetrics" in p]


def test_a_run_without_any_column_selected_has_a_row_for_each(site: Site) -> None:
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


def test_record_by_record_the_rows_are_the_same(site: Site) -> None:
    for report_format in ("json", "csv"):
        settings: dict[str, Any] = {"report_format": report_format, **ONE_DAY}
        slow = site.sync(
            "combined", "user", flattening_enabled=True, flattening_max_depth=1, **settings
        )
        fast = site.sync("combined", "user", **settings)
        for stream in ("combined", "user"):
            assert slow.rows(stream) == fast.rows(stream)


def test_a_full_table_replication_reads_all_again(site: Site) -> None:
    catalog = catalog_of("author")
    state = site.sync(catalog=catalog).state
    for entry in catalog["streams"]:
        if entry["stream"] == "author":
            entry["replication_method"] = "FULL_TABLE"
            for metadata in entry["metadata"]:
                if not metadata["breadcrumb"]:
                    metadata["metadata"]["forced-replication-method"] = "FULL_TABLE"
    again: list[dict[str, Any]] = site.sync(catalog=catalog, state=state).rows("author")
    assert again == expected_rows(site.api, "author", days())


def test_every_property_is_described(site: Site) -> None:
    for entry in site.tap().catalog_dict["streams"]:
        for field, definition in entry["schema"]["properties"].items():
            assert definition.get("description"), f"{entry['stream']}.{field}"
        assert set(entry["key_properties"]) <= entry["schema"]["properties"].keys()


def test_rows_of_many_batches_have_the_keys_of_one(serve: Serve) -> None:
    """The occurrence is counted over the whole window, not over the piece that arrived."""
    site = serve(rows_per_day=3000)
    catalog = deselected(
        catalog_of("combined"),
        "combined",
        *[n.lower() for n in site.api.data.enabled_columns("combined") if n != "TEAM_NAME"],
    )
    rows = site.sync(catalog=catalog, **ONE_DAY).rows("combined")
    assert len(rows) > 3000
    assert len({row["row_id"] for row in rows}) == len(rows)
