"""Where an export's columns come from, and how the vendor's names become fields."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault
from tap_khoros_analytics.exports.definitions import EXPORTS
from tap_khoros_analytics.exports.columns import normalized, columns_from, fields_of
from tap_khoros_analytics.tap import TapKhorosAnalytics
from tap_kit.errors import SyncFailed

from tests.khoros_analytics import site as sites
from tests.khoros_analytics.expected import days, expected_rows
from tests.khoros_analytics.site import FIRST, TAP, catalog_of
from tests.processes import execute

if TYPE_CHECKING:
    from tests.khoros_analytics.conftest import Serve
    from tests.khoros_analytics.site import Site

ONE_DAY: dict[str, Any] = {"end_date": "2024-02-01"}
OURS = {"row_id", "window_start", "window_end", "conversation_report_type"}


def columns_in(catalog: dict[str, Any], stream: str) -> set[str]:
    return {*sites.fields_of(catalog, stream)} - OURS


def test_discovery_learns_the_tenants_columns_from_the_header(serve: Serve) -> None:
    """Yesterday's first minute has a row of some exports, and none of others."""
    for empty_days in ((), days(*[datetime.now(timezone.utc).date() - timedelta(days=1)] * 2)):
        site = serve(now=None, empty_days=empty_days)
        catalog = site.tap().catalog_dict
        for export in EXPORTS:
            wanted = {name.lower() for name in site.api.data.enabled_columns(export)}
            assert columns_in(catalog, export) == wanted, export
        asked = [p for p in site.asked("/reports/report/") if "startTime" in p]
        assert len(asked) == 14
        for params in asked:
            assert params["reportFormat"] == "csv"
            assert int(params["endTime"]) - int(params["startTime"]) == 60_000


def test_a_tenant_with_columns_of_its_own_has_those(serve: Serve) -> None:
    site = serve(columns={"author": ["AUTHOR_ID", "LOYALTY_LEVEL", "AUTHOR_NAME"]})
    catalog = site.tap().catalog_dict
    assert columns_in(catalog, "author") == {"author_id", "loyalty_level", "author_name"}
    output = site.sync(catalog=only(catalog, "author"), **ONE_DAY)
    assert output.rows("author") == expected_rows(site.api, "author", days()[:1])


def only(catalog: dict[str, Any], *streams: str) -> dict[str, Any]:
    for entry in catalog["streams"]:
        sites.select(entry, (), is_selected=entry["stream"] in streams)
    return catalog


def test_a_catalog_saves_the_discovery(site: Site) -> None:
    site.sync("author", **ONE_DAY)
    assert len(site.asked("/reports/report/author")) == 1
    assert len(site.asked("/reports/report/response")) == 0
    site.api.log.clear()
    site.sync_without_catalog(**ONE_DAY)
    assert len(site.asked("/reports/report/author")) == 2


def test_a_stream_that_is_not_in_the_catalog_costs_nothing(site: Site) -> None:
    catalog = catalog_of("author")
    catalog["streams"] = [e for e in catalog["streams"] if e["stream"] == "author"]
    site.sync(catalog=catalog, **ONE_DAY)
    assert {request.path for request in site.api.log.requests if "csv" in request.target} == set()


def test_without_credentials_the_catalog_has_the_attested_columns() -> None:
    ended = execute(str(TAP), "--discover")
    assert ended.code == 0
    streams = json.loads(ended.output.text)["streams"]
    catalog = {entry["stream"]: entry for entry in streams}
    assert {*catalog} == {*EXPORTS, "teams", "timezones"}
    assert {*catalog["conversation"]["schema"]["properties"]} - OURS == {
        *("conversation_id", "status", "assigned_agent_display_id")
    }
    assert len(catalog["response"]["schema"]["properties"]) == 34 + 3
    assert catalog["conversation"]["key_properties"] == ["conversation_id"]
    assert catalog["response"]["key_properties"] == ["row_id"]


def test_discovery_can_be_switched_off(site: Site) -> None:
    tap = site.tap(discover_columns=False, exports={"author": {"columns": ["AUTHOR_ID"]}})
    assert columns_in(tap.catalog_dict, "author") == {"author_id"}
    assert columns_in(tap.catalog_dict, "combined") == set()
    assert site.api.log.requests == []


def test_an_export_without_any_known_column_says_so_and_is_not_started(site: Site) -> None:
    exports = {"author": {"columns": ["AUTHOR_ID"]}}
    ended = site.execute(discover_columns=False, exports=exports, **ONE_DAY)
    assert ended.code == 1
    assert "combined, 2024-02-01: given up: the catalog has no columns of it" in ended.stderr
    assert len(ended.output.rows("author")) == 9
    assert site.asked("report/combined") == []


@pytest.mark.parametrize("key_style", ["metric", "camel", "display"])
def test_three_spellings_of_a_name_are_one_field(serve: Serve, key_style: str) -> None:
    site = serve(key_style=key_style)
    for export in ("response", "conversation", "user"):
        output = site.sync(export, **ONE_DAY)
        assert output.rows(export) == expected_rows(site.api, export, days()[:1])


@pytest.mark.parametrize("key_style", ["metric", "display"])
def test_spellings_that_differ_from_the_header_are_found_for_attested_columns(
    serve: Serve, key_style: str
) -> None:
    """``Assignee ID`` is ASSIGNED_AGENT_DISPLAY_ID: no rule leads from one to the other."""
    rows = serve(key_style=key_style).sync("conversation", **ONE_DAY).rows("conversation")
    assert all(row["assigned_agent_display_id"] for row in rows)


def test_german_headers_are_fields_of_their_own_in_csv(serve: Serve) -> None:
    site = serve(rows_per_day=20)
    catalog = site.tap(report_format="csv", locale="de").catalog_dict
    fields = columns_in(catalog, "response")
    assert {"ubernommen_oder_zugewiesen_am", "konversations_id", "prioritat"} < fields
    output = site.sync(
        catalog=only(catalog, "response"), report_format="csv", locale="de", **ONE_DAY
    )
    wanted = expected_rows(
        site.api, "response", days()[:1], reportFormat="csv", locale="de", timezone="UTC"
    )
    got = output.rows("response")
    for mine, vendors in (
        ("ubernommen_oder_zugewiesen_am", "date_claimed"),
        ("konversations_id", "conversation_id"),
        ("prioritat", "priority"),
        ("response_tar", "response_tar"),
    ):
        assert [row[mine] for row in got] == [row[vendors] for row in wanted]
    # There is no conversation_id to be a key of the conversations.
    (entry,) = [e for e in catalog["streams"] if e["stream"] == "conversation"]
    assert [*entry["key_properties"]] == ["row_id"]


def test_in_json_the_language_changes_no_field(serve: Serve) -> None:
    site = serve()
    assert site.tap(locale="de").catalog_dict == site.tap().catalog_dict
    rows = site.sync("response", locale="de", **ONE_DAY).rows("response")
    assert rows == expected_rows(site.api, "response", days()[:1], locale="de")


def test_a_catalog_of_another_language_is_an_error_and_not_a_table_of_nulls(site: Site) -> None:
    catalog = catalog_of("author")
    for entry in catalog["streams"]:
        if entry["stream"] == "author":
            fields = entry["schema"]["properties"]
            for number, field in enumerate([f for f in fields if f not in OURS]):
                fields[f"feld_{number}"] = {**fields.pop(field), "title": f"FELD_{number}"}
            entry["metadata"] = []
    for report_format in ("json", "csv"):
        output, error = site.failing_sync(
            SyncFailed, catalog=catalog, report_format=report_format, **ONE_DAY
        )
        assert "author" in str(error)
        assert output.rows("author") == []
        assert sites.bookmark(output.state, "author") is None


@pytest.mark.parametrize("report_format", ["json", "csv"])
def test_a_column_that_appears_later_is_told_once_and_left_out(
    serve: Serve, report_format: str, caplog: pytest.LogCaptureFixture
) -> None:
    site = serve(late_columns={"author": {"BADGE": date(2024, 2, 2)}})
    catalog = catalog_of("author")
    output = site.sync(catalog=catalog, report_format=report_format, end_date="2024-02-04")
    assert len(output.rows("author")) == 4 * 9
    assert {len(row) for row in output.rows("author")} == {len(sites.fields_of(catalog, "author"))}
    told = [text for text in caplog.messages if "which the catalog does not know" in text]
    assert len(told) == 1
    assert ("BADGE" if report_format == "json" else "Badge") in told[0]


def test_a_column_that_vanished_is_null_and_told_once(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    site = serve(columns={"author": ["AUTHOR_ID", "AUTHOR_NAME"]})
    rows = site.sync("author", report_format="csv").rows("author")
    assert {row["author_handle"] for row in rows} == {None}
    told = [text for text in caplog.messages if "the export has no column for" in text]
    assert len(told) == 1
    assert "author_handle" in told[0]


@pytest.mark.parametrize("report_format", ["json", "csv"])
def test_a_byte_order_mark_is_no_part_of_the_first_column(serve: Serve, report_format: str) -> None:
    site = serve(has_bom=True)
    catalog = site.tap().catalog_dict
    assert "author_id" in columns_in(catalog, "author")
    output = site.sync(catalog=only(catalog, "author"), report_format=report_format, **ONE_DAY)
    assert all(row["author_id"] for row in output.rows("author"))


def test_an_export_whose_columns_cannot_be_learned_does_not_stop_the_others(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.api.failing_runs = {"response": -1}
    site.api.faults.append(Fault("status", status=400, path="report/author"))
    catalog = site.tap().catalog_dict
    assert columns_in(catalog, "author") == set()
    assert len(columns_in(catalog, "response")) == 34
    assert len(columns_in(catalog, "combined")) > 10
    told = [text for text in caplog.messages if "columns could not be learned" in text]
    assert len(told) == 2


def test_a_header_that_does_not_come_through_stops_discovery(site: Site) -> None:
    site.api.faults.append(Fault("reset", path="care-analytics-exports/"))
    with pytest.raises(SyncFailed, match=r"its columns could not be learned: .* broke off"):
        _ = site.tap(report_format="csv").catalog_dict


def test_a_header_that_comes_with_the_second_try_is_learned(site: Site) -> None:
    undisturbed = site.tap().catalog_dict
    site.api.faults.append(Fault("reset", path="care-analytics-exports/", first=3))
    assert site.tap().catalog_dict == undisturbed


def test_discovery_says_nothing_of_brand_posts_that_nobody_has(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    site = serve(has_brand_posts=False)
    site.tap()
    assert [r for r in caplog.records if r.levelname in {"WARNING", "ERROR"}] == []


@pytest.mark.parametrize(
    ("names", "field"),
    [
        (["Responding Agent Name", "respondingAgentName", "RESPONDING_AGENT_NAME"], 1),
        (["RESPONDINGAGENTNAME", "Responding-Agent-Name"], 1),
        (["Tag", "Tag 2"], 2),
        (["回复", "评论"], 2),
        (["row_id", "Row ID"], 1),
    ],
    ids=str,
)
def test_names_that_mean_the_same_become_one_column(names: list[str], field: int) -> None:
    assert len({normalized(name) for name in names}) == field
    columns = columns_from("combined", names)
    assert len(columns) == field
    assert len({column.field for column in columns} - OURS) == field
    # What a catalog keeps of a column is enough to find it again.
    assert fields_of(columns, names)[-1] == columns[-1].field or "row" in names[0]


def test_the_key_can_be_chosen(site: Site) -> None:
    exports = {
        "response": {"primary_key": ["Conversation ID", "RESPONSE_ORDER"]},
        "user": {"primary_key": ["agent_id"]},
    }
    tap = TapKhorosAnalytics(config=site.settings(exports=exports))
    keys = {entry["stream"]: [*entry["key_properties"]] for entry in tap.catalog_dict["streams"]}
    assert keys["response"] == ["conversation_id", "response_order"]
    assert keys["user"] == ["agent_id", "window_start"]  # or each day would replace the last one
    assert keys["author"] == ["row_id"]
    rows = site.sync_without_catalog(exports=exports, **ONE_DAY).rows("response")
    assert "row_id" not in rows[0]
    (entry,) = [e for e in tap.catalog_dict["streams"] if e["stream"] == "response"]
    assert entry["schema"]["properties"]["response_order"]["type"] == "string"


def test_a_row_without_its_key_is_an_error(site: Site) -> None:
    exports = {"combined": {"primary_key": ["MANUAL_TAG"]}}
    catalog = site.tap(exports=exports).catalog_dict
    output, error = site.failing_sync(
        SyncFailed, catalog=only(catalog, "combined"), exports=exports, start_date=str(FIRST)
    )
    assert "combined" in str(error)
    assert sites.bookmark(output.state, "combined") is None
