"""Runs whose columns have types: learned ones, documented ones, and those in the settings."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, cast

import pytest
from singer_sdk.exceptions import ConfigValidationError
from tap_khoros_analytics.exports.definitions import EXPORTS
from tap_khoros_analytics.tap import TapKhorosAnalytics

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


def discovered(site: Site, **settings: Any) -> Catalog:
    """Return the catalog of a discovery, which is not followed by a run."""
    tap = TapKhorosAnalytics(config=site.settings(**settings), setup_mapper=False)
    return cast("Catalog", tap.catalog_dict)


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
    catalog = discovered(busy, **settings)
    types = types_in(catalog, "response")
    assert types["response_tar"] == ["integer", "null"]
    assert types["response_tar_raw"] == ["string", "null"]
    assert types["date_claimed"] == "date-time"
    assert types["lsw_responded_post_in_business_hour"] == ["boolean", "null"]
    assert types["conversation_id"] == ["string", "null"]
    texts = discovered(busy, **{**settings, "column_types": "text"})
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
    catalog = discovered(site, **settings)
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
    catalog = discovered(site, **settings)
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


def test_the_field_beside_a_column_can_be_deselected(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    types = {"AUTHOR_NAME": "integer", "AUTHOR_ID": "integer", "AUTHOR_HANDLE": "duration"}
    options = {"types": types, "primary_key": ["AUTHOR_ID"]}
    settings: dict[str, Any] = {"exports": {**GIVEN, "author": options}, **ONE_DAY}
    catalog = selecting(discovered(site, **settings), "author")
    assert types_in(catalog, "author")["author_id"] == "string", "a key is never null"
    fields = ("author_name_raw", "author_handle_seconds")
    rows = site.sync(catalog=deselected(catalog, "author", *fields), **settings).rows("author")
    assert not {*fields} & rows[0].keys()
    assert {row["author_name"] for row in rows} == {None}
    assert all(row["author_handle"] for row in rows)
    assert not [p for p in site.requested("report/author") if "reportMetrics" in p]
    of_key, warning = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert of_key.startswith("exports.author.types: the column AUTHOR_ID stays a text: it is in")
    assert warning.endswith("author_name is null, select author_name_raw to keep the text")


def test_without_its_column_the_field_beside_it_is_deselected(site: Site) -> None:
    """It would be null in each row, and look like missing data."""
    types = {"AUTHOR_NAME": "integer", "AUTHOR_HANDLE": "duration", "AUTHOR_FOLLOWERS": "integer"}
    settings: dict[str, Any] = {"exports": {**GIVEN, "author": {"types": types}}, **ONE_DAY}
    catalog = selecting(discovered(site, **settings), "author")
    catalog = deselected(catalog, "author", "author_name", "author_handle")
    output = site.sync(catalog=catalog, **settings)
    (schema,) = [m["schema"] for m in output.messages if m["type"] == "SCHEMA"]
    fields = schema["properties"].keys()
    beside = {field for field in fields if field.endswith(("_raw", "_seconds"))}
    assert beside == {"author_followers_raw"}
    assert all(row.keys() == fields for row in output.rows("author"))


def test_a_run_does_not_learn_types_that_nothing_keeps(busy: Site) -> None:
    """They could be others in the next run."""
    with pytest.raises(ConfigValidationError, match="set discovery_folder, or pass a catalog"):
        busy.tap(**SETTINGS)
    assert busy.api.log.requests == []
    busy.tap(**SETTINGS, discovery_folder=str(busy.folder / "stored"))
    assert busy.api.log.requests != []
    busy.api.log.clear()
    given = {"author": {"columns": ["AUTHOR_ID"]}, "response": {"columns": ["RESPONSE_TAR"]}}
    busy.tap(**{**SETTINGS, "exports": {**SETTINGS["exports"], **given}})
    busy.tap(**SETTINGS, discover_columns=False)
    assert busy.api.log.requests == []


def test_a_stored_type_never_changes(busy: Site) -> None:
    settings: dict[str, Any] = {**SETTINGS, "discovery_folder": str(busy.folder / "stored")}
    texts = discovered(busy, **{**settings, "column_types": "text"})
    assert "author_followers_raw" not in types_in(texts, "author")
    catalog = discovered(busy, **settings)
    assert types_in(catalog, "author")["author_followers"] == ["integer", "null"]
    busy.api.log.clear()
    assert discovered(busy, **settings) == catalog
    assert busy.api.log.requests == []
    busy.api.rows_per_day = 3
    assert discovered(busy, **settings, discovery_max_age=0) == catalog
    busy.api.columns = {"author": ["AUTHOR_ID", "AUTHOR_FOLLOWERS", "LOYALTY_LEVEL"]}
    changed = types_in(discovered(busy, **settings, discovery_max_age=0), "author")
    assert changed["author_followers"] == ["integer", "null"]
    assert changed["loyalty_level"] == ["string", "null"]


def test_a_sample_of_intervals_is_within_the_vendors_limit(busy: Site) -> None:
    exports = {n: o for n, o in SETTINGS["exports"].items() if n != "team_performance_interval"}
    settings: dict[str, Any] = {**SETTINGS, "exports": exports, "time_interval": 300_000}
    types = types_in(discovered(busy, **settings), "team_performance_interval")
    assert types["responses"] == ["integer", "null"]
    assert types["interval_start"] == "date-time"


@pytest.mark.parametrize(
    "options",
    [
        {"types": [["AGENT_ID", "integer"]]},
        {"types": ["AGENT_ID"]},
        {"types": {"AGENT_ID": ["integer"]}, "columns": ["AGENT_ID"]},
        {"types": {"AGENT_ID": "int"}, "columns": ["AGENT_ID"]},
        {"columns": [["AGENT_ID"]]},
        {"columns": {"AGENT_ID": 1}},
        {"primary_key": [{"AGENT_ID": 1}]},
        {"primary_key": "AGENT_ID"},
        {"filters": [["teamIds"]]},
        {"method": ["GET"]},
        {"other": 1},
    ],
)
def test_discovery_works_with_invalid_options_of_an_export(options: dict[str, Any]) -> None:
    config = {"exports": {"user": options}}
    assert TapKhorosAnalytics(config=config, validate_config=False).catalog_dict["streams"]


def test_type_of_a_column_that_a_stream_does_not_have_is_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    types = {"AGENT_ID": "integer", "AGENT_NAME": "text", "row id": "text"}
    exports = {"user": {"columns": ["AGENT_ID"], "types": types}}
    assert TapKhorosAnalytics(config={"exports": exports}, validate_config=False).catalog_dict
    found = [record.message for record in caplog.records if "types" in record.message]
    assert found == [
        f"exports.user.types: the stream has no column {name}; ignoring its type"
        for name in ("AGENT_NAME", "row id")
    ]


def test_type_of_a_column_that_stays_a_text_is_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    types = {"ID": "integer", "N": "number", "N_RAW": "text", "D": "duration"}
    options = {"columns": ["ID", "N", "N_RAW", "D"], "primary_key": ["ID"], "types": types}
    config = {"exports": {"author": options}}
    assert TapKhorosAnalytics(config=config, validate_config=False).catalog_dict
    found = [record.message for record in caplog.records if "types" in record.message]
    assert [text.split(" stays ")[0] for text in found] == [
        f"exports.author.types: the column {name}" for name in ("ID", "N")
    ]
