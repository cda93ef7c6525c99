"""Discovery: the tenant's columns, from the header of a small export of each kind."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault
from tap_khoros_analytics.exports.columns import known_columns
from tap_khoros_analytics.exports.definitions import EXPORTS
from tap_kit.errors import SyncFailed

from tests.khoros_analytics.expected import days, expected_rows
from tests.khoros_analytics.one_export import serving
from tests.khoros_analytics.site import (
    ONE_DAY,
    TAP,
    catalog_fields,
    catalog_of,
    discovered_catalog,
    given_except,
    selecting,
)
from tests.khoros_analytics.without_catalog import run_without_catalog
from tests.processes import execute

if TYPE_CHECKING:
    from tests.khoros_analytics.conftest import Serve
    from tests.khoros_analytics.site import Site


OWN_FIELDS = {"row_id", "window_start", "window_end", "conversation_report_type"}


def columns_in(catalog: dict[str, Any], stream: str) -> set[str]:
    return {*catalog_fields(catalog, stream)} - OWN_FIELDS


def test_discovery_finds_the_tenants_columns_in_the_header(serve: Serve) -> None:
    """It does so with and without rows in the first minute of yesterday."""
    for empty_days in ((), days(*[datetime.now(timezone.utc).date() - timedelta(days=1)] * 2)):
        site = serve(now=None, empty_days=empty_days)
        catalog = site.tap().catalog_dict
        for export in EXPORTS:
            wanted = {name.lower() for name in site.api.data.enabled_columns(export)}
            assert columns_in(catalog, export) == wanted, export
        starts = [p for p in site.requested("/reports/report/") if "startTime" in p]
        assert len(starts) == 14
        for params in starts:
            assert params["reportFormat"] == "csv"
            assert int(params["endTime"]) - int(params["startTime"]) == 60_000


def test_a_tenants_own_columns_are_in_the_catalog_and_the_rows(serve: Serve) -> None:
    site = serve(columns={"author": ["AUTHOR_ID", "LOYALTY_LEVEL", "AUTHOR_NAME"]})
    catalog = site.tap(exports=given_except("author")).catalog_dict
    assert columns_in(catalog, "author") == {"author_id", "loyalty_level", "author_name"}
    output = site.sync(catalog=selecting(catalog, "author"), **ONE_DAY)
    assert output.rows("author") == expected_rows(site.api, "author", days()[:1])


def test_a_run_with_a_catalog_does_not_discover(site: Site) -> None:
    site.sync("combined", **ONE_DAY)
    assert len(site.requested("/reports/report/combined")) == 1
    assert len(site.requested("/reports/report/response")) == 0
    discovering = run_without_catalog().site
    assert len(discovering.requested("/reports/report/combined")) == 2


def test_a_stream_that_is_not_in_the_catalog_sends_no_request(site: Site) -> None:
    catalog = catalog_of("author")
    catalog["streams"] = [e for e in catalog["streams"] if e["stream"] == "author"]
    site.sync(catalog=catalog, **ONE_DAY)
    assert {request.path for request in site.api.log.requests if "csv" in request.target} == set()


def test_without_credentials_the_catalog_has_the_known_columns() -> None:
    ended = execute(str(TAP), "--discover")
    assert ended.code == 0
    streams = json.loads(ended.output.text)["streams"]
    catalog = {entry["stream"]: entry for entry in streams}
    assert {*catalog} == {*EXPORTS, "teams", "timezones"}
    assert {*catalog["conversation"]["schema"]["properties"]} - OWN_FIELDS == {
        *("conversation_id", "status", "assigned_agent_display_id")
    }
    assert len(catalog["response"]["schema"]["properties"]) == 34 + 3
    assert catalog["conversation"]["key_properties"] == ["conversation_id"]
    assert catalog["response"]["key_properties"] == ["row_id"]


def test_discovery_of_columns_can_be_disabled(site: Site) -> None:
    tap = site.tap(discover_columns=False, exports={"author": {"columns": ["AUTHOR_ID"]}})
    assert columns_in(tap.catalog_dict, "author") == {"author_id"}
    assert columns_in(tap.catalog_dict, "combined") == set()
    assert site.api.log.requests == []


def test_headers_in_another_language_are_other_fields_in_csv(serve: Serve) -> None:
    site = serve(rows_per_day=20)
    exports = given_except("conversation", "response")
    catalog = site.tap(report_format="csv", locale="de", exports=exports).catalog_dict
    fields = columns_in(catalog, "response")
    assert {"ubernommen_oder_zugewiesen_am", "konversations_id", "prioritat"} < fields
    output = site.sync(
        catalog=selecting(catalog, "response"), report_format="csv", locale="de", **ONE_DAY
    )
    wanted = expected_rows(
        site.api, "response", days()[:1], reportFormat="csv", locale="de", timezone="UTC"
    )
    got = output.rows("response")
    for field, english in (
        ("ubernommen_oder_zugewiesen_am", "date_claimed"),
        ("konversations_id", "conversation_id"),
        ("prioritat", "priority"),
        ("response_tar", "response_tar"),
    ):
        assert [row[field] for row in got] == [row[english] for row in wanted]
    # The export conversation has no conversation_id, which is otherwise its key.
    (entry,) = [e for e in catalog["streams"] if e["stream"] == "conversation"]
    assert [*entry["key_properties"]] == ["row_id"]


def test_the_locale_changes_no_field_in_json(serve: Serve) -> None:
    site = serve()
    assert json.loads(site.tap(locale="de").catalog_json_text) == discovered_catalog()
    rows = site.sync("response", locale="de", **ONE_DAY).rows("response")
    assert rows == expected_rows(site.api, "response", days()[:1], locale="de")


@pytest.mark.parametrize("report_format", ["json", "csv"])
def test_a_byte_order_mark_is_not_part_of_the_first_column(
    serve: Serve, report_format: str
) -> None:
    site = serve(has_bom=True)
    catalog = site.tap(exports=given_except("author")).catalog_dict
    assert "author_id" in columns_in(catalog, "author")
    output = site.sync(catalog=selecting(catalog, "author"), report_format=report_format, **ONE_DAY)
    assert all(row["author_id"] for row in output.rows("author"))


def test_a_final_error_leaves_the_known_columns_and_does_not_stop_discovery(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.api.failing_runs = {"response": -1}
    site.api.faults.append(Fault("status", status=400, path="report/author"))
    catalog = site.tap(exports=given_except("author", "combined", "response")).catalog_dict
    assert columns_in(catalog, "author") == set()
    assert len(columns_in(catalog, "response")) == 34
    assert len(columns_in(catalog, "combined")) > 10
    logged = [text for text in caplog.messages if "discovery of its columns failed" in text]
    assert len(logged) == 2


def test_a_header_that_cannot_be_downloaded_stops_discovery(site: Site) -> None:
    site.api.faults.append(Fault("reset", path="care-analytics-exports/"))
    with pytest.raises(SyncFailed, match=r"discovery of its columns failed: .* was lost"):
        _ = site.tap(report_format="csv", exports=given_except("author", "user")).catalog_dict


def test_a_header_download_is_retried(site: Site) -> None:
    site.api.faults.append(Fault("reset", path="care-analytics-exports/", first=3))
    assert json.loads(site.tap().catalog_json_text) == discovered_catalog()


def test_missing_brand_posts_cause_no_warning(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    site = serve(has_brand_posts=False)
    site.tap(exports=given_except("author", "raw_brand_posts"))
    assert len(site.requested("/raw_brand_posts")) > 0
    assert [r for r in caplog.records if r.levelname in {"WARNING", "ERROR"}] == []


def test_a_header_needs_no_line_feed(site: Site) -> None:
    with serving(b"Author ID,Loyalty Level") as url:
        settings = {"api_url": url, "exports": given_except("author")}
        catalog = site.tap(report_format="csv", **settings).catalog_dict
    assert columns_in(catalog, "author") == {"author_id", "loyalty_level"}


def test_an_export_without_a_header_leaves_the_known_columns(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(b"") as url:
        settings = {"api_url": url, "exports": given_except("author")}
        catalog = site.tap(report_format="csv", **settings).catalog_dict
    assert columns_in(catalog, "author") == {column.field for column in known_columns("author")}
    assert "author: discovery of its columns failed: columns of author: " in caplog.text
