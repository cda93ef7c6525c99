"""Answers that no vendor should give: each has words of its own, and none becomes a row."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault
from tap_khoros_analytics.exports.columns import known_columns
from tap_kit.errors import SyncFailed
from tap_kit.net.sessions import without_query

from tests.khoros_analytics import site as sites
from tests.khoros_analytics.answers import serving
from tests.khoros_analytics.site import catalog_of, deselected

if TYPE_CHECKING:
    from tests.khoros_analytics.site import Site

ONE_DAY: dict[str, Any] = {"end_date": "2024-02-01"}
OURS = {"row_id", "window_start", "window_end"}


def test_a_list_with_something_else_between_its_rows_is_that_exports_failure(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(b'[{"AUTHOR_ID":"1"},"s3cret",{"AUTHOR_ID":"2"}]') as url:
        output, _ = site.failing_sync(SyncFailed, "author", api_url=url, **ONE_DAY)
    assert "author, 2024-02-01: given up: expected a list of objects" in caplog.text
    assert "s3cret" not in caplog.text
    assert output.rows("author") == []


def test_rows_that_are_too_wide_are_told_once(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    with serving(b"Author ID\n1,x\n2\n3,y,z\n") as url:
        output = site.sync("author", api_url=url, report_format="csv", **ONE_DAY)
    assert [row["author_id"] for row in output.rows("author")] == ["1", "2", "3"]
    told = [text for text in caplog.messages if "left out" in text]
    assert told == ["author: a row has 2 fields under a header of 1; what is beyond it is left out"]


def test_a_table_of_which_one_column_is_selected_has_that_one(site: Site) -> None:
    catalog = catalog_of("author", report_format="csv")
    others = {*sites.fields_of(catalog, "author")} - {"author_id"} - OURS
    catalog = deselected(catalog, "author", *others)
    with serving(b"Author Name,Author ID\na,1\nb,\n") as url:
        output = site.sync(catalog=catalog, api_url=url, report_format="csv", **ONE_DAY)
    assert [row["author_id"] for row in output.rows("author")] == ["1", None]
    assert {*output.rows("author")[0]} == {"author_id", *OURS}


def test_a_look_up_without_a_list_stops_the_run_and_names_the_keys_only(site: Site) -> None:
    with serving(b"[]", teams={"id": "s3cret"}) as url:
        _, error = site.failing_sync(SyncFailed, "teams", api_url=url)
    problem = "expected a list of objects under 'result', got the keys ['result', 'status']"
    expected = f"GET /api/public/teams: {problem}; given up after 5 tries"
    assert str(error) == expected


@pytest.mark.parametrize("status", [403, 404])
def test_a_look_up_that_is_refused_is_a_warning_and_the_others_go_on(
    site: Site, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    site.api.faults.append(Fault("status", status=status, path="/config/timezones"))
    output = site.sync("teams", "timezones", "author", **ONE_DAY)
    assert output.rows("timezones") == []
    assert output.rows("teams") != []
    assert output.rows("author") != []
    (told,) = [text for text in caplog.messages if "skipped" in text]
    assert told.startswith("timezones: skipped: ")
    assert f"HTTP {status}" in told


def columns_in(catalog: dict[str, Any]) -> set[str]:
    return {*sites.fields_of(catalog, "author")} - OURS


def test_a_header_without_a_line_feed_is_a_header(site: Site) -> None:
    with serving(b"Author ID,Loyalty Level") as url:
        catalog = site.tap(api_url=url, report_format="csv").catalog_dict
    assert columns_in(catalog) == {"author_id", "loyalty_level"}


def test_an_export_without_a_header_leaves_the_attested_columns(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(b"") as url:
        catalog = site.tap(api_url=url, report_format="csv").catalog_dict
    assert columns_in(catalog) == {column.field for column in known_columns("author")}
    assert "author: its columns could not be learned: columns of author: " in caplog.text


@pytest.mark.parametrize(
    ("args", "kept"),
    [
        (("GET", "/a?companyKey=k", 200), ("GET", "/a", 200)),
        (({"companyKey": "k"},), {"companyKey": "k"}),
        ((), ()),
    ],
    ids=["a line of a request", "a mapping", "nothing"],
)
def test_the_log_of_the_connections_loses_queries_and_nothing_else(args: Any, kept: Any) -> None:
    record = logging.LogRecord("urllib3", logging.DEBUG, "", 0, "a line", args, None)
    assert without_query(record)
    assert record.args == kept
