"""All invalid settings are reported together, a line each, before the first request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import ConfigValidationError
from tap_kissmetrics.tap import TapKissmetrics

from tests.kissmetrics.site import TOKEN

if TYPE_CHECKING:
    from tests.kissmetrics.site import Site

WRONG: dict[str, Any] = {
    "api_url": "api.kissmetrics.com",
    "query_url": "https://user:secret@query.kissmetrics.com",
    "start_date": "last week",
    "page_size": 0,
    "poll_interval_ms": 40_000,
    "poll_timeout": 1.5,
    "product_ids": "p1",
    "reports": [{"name": "x"}, {"id": "r1", "column": ["a"]}, "r2", {"id": "r3", "columns": [5]}],
    "include_tracking_key": "yes",
    "shard": "2/2",
    "page_sice": 10,
}


def problems(**settings: Any) -> list[str]:
    """Return the error lines of these settings."""
    with pytest.raises(ConfigValidationError) as caught:
        TapKissmetrics(config={"api_token": TOKEN, **settings})
    return sorted(caught.value.errors)


@pytest.mark.parametrize("arguments", [(), ("--test",)], ids=["run", "test"])
def test_all_invalid_settings_are_reported_together(site: Site, arguments: tuple[str, ...]) -> None:
    catalog = None if arguments else site.catalog("events")
    ended = site.execute(*arguments, catalog=catalog, **WRONG)
    assert ended.code == 1
    assert ended.output.text == ""
    assert "Traceback" not in ended.stderr
    assert sorted(ended.errors) == [
        "api_url must be a URL with https:// and a host",
        "include_tracking_key must be true or false, not a string",
        "page_sice is not a setting of this tap (did you mean page_size?)",
        "page_size must be at least 1",
        "poll_interval_ms must be at most 30000",
        "poll_timeout must be a whole number, not a decimal number",
        "product_ids must be a list, not a string",
        "query_url must not contain a user name or password",
        "reports[0].id is required",
        "reports[1].column is not a setting of this tap (did you mean columns?)",
        "reports[2] must be an object, not a string",
        "reports[3].columns[0] must be a string, not a number",
        "shard must be i/n with i from 0 to n-1, such as 0/2 or 1/2",
        "start_date must be a date in YYYY-MM-DD format",
    ]
    assert site.requested() == []


@pytest.mark.parametrize(
    ("reports", "lines"),
    [
        ([{"id": ""}], ["reports[0].id must not be empty"]),
        ([{"id": "a"}, {"id": "b"}, {"id": "a"}], ["reports has two entries with the id a"]),
        (
            [{"id": i, "name": n, "columns": ["c"]} for i, n in (("a", "My X"), ("b", "my_x"))],
            ["reports has two entries with the name my_x"],
        ),
        (
            [{"id": i, "name": f"{'long ' * 20}{i}", "columns": ["c"]} for i in "ab"],
            [f"reports has two entries with the name {'_'.join(['long'] * 11)}"],
        ),
        (
            [{"id": "a", "name": "Results", "columns": ["c"]}],
            ["reports must have no entry with the name results: another stream has it"],
        ),
    ],
)
def test_reports_without_unique_ids_and_names_are_invalid(
    reports: list[Any], lines: list[str]
) -> None:
    assert problems(reports=reports) == lines


def test_report_names_without_columns_need_not_be_unique() -> None:
    reports = [{"id": "a", "name": "x"}, {"id": "b", "name": "x"}, {"id": "c", "name": "results"}]
    tap = TapKissmetrics(config={"api_token": TOKEN, "reports": reports})
    assert [name for name in tap.streams if name.startswith("report_")] == ["report_results"]


@pytest.mark.parametrize(
    "settings",
    [{}, {"product_ids": None, "reports": None, "start_date": None}, {"api_version": None}],
    ids=str,
)
def test_null_counts_as_unset(settings: dict[str, Any]) -> None:
    TapKissmetrics(config={"api_token": TOKEN, **settings})


def test_defaults_of_settings() -> None:
    config = TapKissmetrics(config={"api_token": TOKEN}).config
    assert {
        "api_url": "https://api.kissmetrics.com",
        "query_url": "https://query.kissmetrics.com",
        "page_size": 1000,
        "lookback_days": 1,
        "window_days": 1,
        "max_concurrency": 4,
        "poll_interval_ms": 2000,
        "poll_timeout": 3600,
        "include_tracking_key": False,
    }.items() <= dict(config).items()


def test_each_set_of_required_settings_is_sufficient_and_minimal() -> None:
    exports = [{"product": "shop", "url": "folder"}]
    values: dict[str, Any] = {"api_token": TOKEN, "username": "me@example.com"}
    values |= {"raw_exports": exports}
    for way in TapKissmetrics.required_settings():
        TapKissmetrics(config={name: values[name] for name in way})
    with pytest.raises(ConfigValidationError) as caught:
        TapKissmetrics(config={})
    (line,) = caught.value.errors
    assert line == (
        "username is required for version 3 of the API, or api_token for the Core API and "
        "version 2 of the query API, or raw_exports for the raw data export"
    )


def test_discovery_sends_no_request(site: Site) -> None:
    ended = site.execute("--discover", reports=[{"id": "r1", "name": "a", "columns": ["x"]}])
    assert ended.code == 0
    assert '"report_a"' in ended.output.text
    assert site.requested() == []


def test_connection_test_reads_a_record_of_each_stream(site: Site) -> None:
    ended = site.execute("--test")
    assert ended.code == 0, ended.stderr
    assert "The token works; it can access 2 account(s)" in ended.stderr
    assert site.api.early_reads == 0


def test_discovery_ignores_invalid_reports(site: Site) -> None:
    """Only a run reports what is wrong with them; discovery works without valid settings."""
    good = {"id": "r1", "name": "a", "columns": ["x"]}
    reports = [5, "r2", None, {"id": "r3", "name": "b"}, {"id": 4, "name": "c", "columns": [1]}]
    ended = site.execute("--discover", reports=[*reports, good])
    assert ended.code == 0, ended.stderr
    streams = [entry["stream"] for entry in json.loads(ended.output.text)["streams"]]
    assert [name for name in streams if name.startswith("report_")] == [
        "report_a",
        "report_results",
    ]
