"""Runs whose columns have types: learned ones, documented ones, and those in the settings."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from tap_khoros_analytics.exports.definitions import EXPORTS

from tests.khoros_analytics.site import ONE_DAY, deselected, selecting

if TYPE_CHECKING:
    from tests.khoros_analytics.conftest import Serve
    from tests.khoros_analytics.site import Catalog, Site
    from tests.singer import Row

# The columns of the others are given, which keeps these tests short.
GIVEN: dict[str, Any] = {
    name: {"columns": ["AGENT_ID"]} for name in EXPORTS if name not in {"author", "response"}
}
USER = {"user": {"columns": ["AGENT_ID", "TOTAL_MOBILE_TIME", "TOTAL_MOBILE_TIME_MILLIS"]}}
SETTINGS = {"column_types": "typed", "exports": {**GIVEN, **USER}, **ONE_DAY}
BERLIN = {"timezone": "Europe/Berlin"}


@pytest.fixture
def busy(serve: Serve) -> Site:
    """A tenant with enough rows to learn types from."""
    return serve(now=None, rows_per_day=60)


def types_in(catalog: Catalog, stream: str) -> dict[str, Any]:
    """Return the types of a stream's fields that are not plain texts."""
    (entry,) = [e for e in catalog["streams"] if e["stream"] == stream]
    found = {f: (d["type"], d.get("format")) for f, d in entry["schema"]["properties"].items()}
    return {f: (t if form is None else form) for f, (t, form) in found.items() if "window" not in f}


@pytest.mark.parametrize("report_format", ["json", "csv"])
def test_types_are_learned_and_change_no_key_and_no_value(busy: Site, report_format: str) -> None:
    yesterday = str(datetime.now(timezone.utc).date() - timedelta(days=1))
    days = {"start_date": yesterday, "end_date": yesterday}
    settings: dict[str, Any] = {**SETTINGS, **BERLIN, **days, "report_format": report_format}
    catalog = busy.tap(**settings).catalog_dict
    types = types_in(catalog, "response")
    assert types["response_tar"] == ["integer", "null"]
    assert types["response_tar_raw"] == ["string", "null"]
    assert types["date_claimed"] == "date-time"
    assert types["lsw_responded_post_in_business_hour"] == ["boolean", "null"]
    assert types["conversation_id"] == ["string", "null"]
    texts = busy.tap(**{**settings, "column_types": "text"}).catalog_dict
    typed_rows, text_rows = (
        busy.sync(catalog=selecting(found, "response"), **settings).rows("response")
        for found in (catalog, texts)
    )
    assert len(typed_rows) == 61
    for typed, text in zip(typed_rows, text_rows, strict=True):
        assert as_texts(typed) == text


def as_texts(row: Row) -> Row:
    """Return a typed row as the texts of the vendor."""
    assert {row[field] for field in row if field.endswith("_raw")} == {None}
    return {
        field: as_text(value, is_typed=f"{field}_raw" in row)
        for field, value in row.items()
        if not field.endswith("_raw")
    }


def as_text(value: Any, *, is_typed: bool) -> str | None:
    """Return a value as the text of the vendor."""
    if isinstance(value, str) and is_typed:
        assert value[19:] in {"+01:00", "+02:00"}
        return value[:19].replace("T", " ")
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def test_documented_types_and_seconds_need_no_sample(site: Site) -> None:
    exports = {**GIVEN, "user": {**USER["user"], "types": {"total mobile time": "duration"}}}
    settings: dict[str, Any] = {**SETTINGS, "exports": exports, "locale": "de"}
    catalog = site.tap(**settings).catalog_dict
    assert "author_followers_raw" not in types_in(catalog, "author"), "en is not the locale"
    assert types_in(catalog, "user") == {
        "row_id": "string",
        "agent_id": ["string", "null"],
        "total_mobile_time": ["string", "null"],
        "total_mobile_time_seconds": ["integer", "null"],
        "total_mobile_time_millis": ["integer", "null"],
        "total_mobile_time_millis_raw": ["string", "null"],
    }
    for row in site.sync(catalog=selecting(catalog, "user"), **settings).rows("user"):
        assert row["total_mobile_time_seconds"] == row["total_mobile_time_millis"] // 1000
        assert row["total_mobile_time"].count(":") == 2


@pytest.mark.parametrize("is_single", [False, True])
def test_a_value_that_does_not_fit_is_null_with_its_text_beside_it(
    site: Site, caplog: pytest.LogCaptureFixture, *, is_single: bool
) -> None:
    """The settings can set types, also where all other columns are texts."""
    types = {"AUTHOR_NAME": "integer", "author_handle": "duration", "AUTHOR_FOLLOWERS": "number"}
    settings: dict[str, Any] = {"exports": {**GIVEN, "author": {"types": types}}, **ONE_DAY}
    if is_single:
        settings |= {"flattening_enabled": True, "flattening_max_depth": 1}
    catalog = site.tap(**settings).catalog_dict
    rows = site.sync(catalog=selecting(catalog, "author"), **settings).rows("author")
    texts = site.sync("author", **ONE_DAY).rows("author")
    for row, text in zip(rows, texts, strict=True):
        assert row["author_name"] is None
        assert row["author_name_raw"] == text["author_name"]
        assert row["author_handle"] == text["author_handle"]
        assert row["author_handle_seconds"] is None
        assert str(row["author_followers"]).removesuffix(".0") == str(text["author_followers"])
        assert row["row_id"] == text["row_id"]
    warnings = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    named = sum(text["author_name"] is not None for text in texts)
    assert {*warnings} == {
        (
            "author: 9 value(s) of author_handle have another type than duration; "
            "author_handle_seconds is null, the text is in author_handle"
        ),
        (
            f"author: {named} value(s) of author_name have another type than integer; "
            "author_name is null, the text is in author_name_raw"
        ),
    }


def test_the_field_beside_a_column_can_be_deselected(site: Site) -> None:
    types = {"AUTHOR_NAME": "integer", "AUTHOR_ID": "integer"}
    options = {"types": types, "primary_key": ["AUTHOR_ID"]}
    settings: dict[str, Any] = {"exports": {**GIVEN, "author": options}, **ONE_DAY}
    catalog = selecting(site.tap(**settings).catalog_dict, "author")
    assert types_in(catalog, "author")["author_id"] == "string", "a key is never null"
    rows = site.sync(catalog=deselected(catalog, "author", "author_name_raw"), **settings)
    assert "author_name_raw" not in rows.rows("author")[0]
    assert not [p for p in site.requested("report/author") if "reportMetrics" in p]


def test_a_stored_type_never_changes(busy: Site) -> None:
    settings: dict[str, Any] = {**SETTINGS, "discovery_folder": str(busy.folder / "stored")}
    texts = busy.tap(**{**settings, "column_types": "text"}).catalog_dict
    assert "author_followers_raw" not in types_in(texts, "author")
    catalog = busy.tap(**settings).catalog_dict
    assert types_in(catalog, "author")["author_followers"] == ["integer", "null"]
    busy.api.log.clear()
    assert busy.tap(**settings).catalog_dict == catalog
    assert busy.api.log.requests == []
    busy.api.rows_per_day = 3
    assert busy.tap(**settings, discovery_max_age=0).catalog_dict == catalog
    busy.api.columns = {"author": ["AUTHOR_ID", "AUTHOR_FOLLOWERS", "LOYALTY_LEVEL"]}
    changed = types_in(busy.tap(**settings, discovery_max_age=0).catalog_dict, "author")
    assert changed["author_followers"] == ["integer", "null"]
    assert changed["loyalty_level"] == ["string", "null"]


def test_a_sample_of_intervals_is_within_the_vendors_limit(busy: Site) -> None:
    exports = {n: o for n, o in SETTINGS["exports"].items() if n != "team_performance_interval"}
    settings: dict[str, Any] = {**SETTINGS, "exports": exports, "time_interval": 300_000}
    types = types_in(busy.tap(**settings).catalog_dict, "team_performance_interval")
    assert types["responses"] == ["integer", "null"]
    assert types["interval_start"] == "date-time"
