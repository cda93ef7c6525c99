"""All settings that do not fit the version are reported together, before the first request."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import ConfigValidationError
from tap_kissmetrics.tap import TapKissmetrics

from tests.kissmetrics.v3.site import SQL, STREAMS

if TYPE_CHECKING:
    from tests.kissmetrics.site import Site
    from tests.kissmetrics.v3.site import V3Site

REQUIRED = "{} is required, because api_version is {}; without api_version, {} selects {}"
CHOICE = (
    "username and api_token are set: reading version 3 of the API. "
    "To read another one, set api_version"
)
IGNORING = "Ignoring settings that do not belong to api_version"


def problems(**settings: Any) -> list[str]:
    """Return the error lines of these settings."""
    with pytest.raises(ConfigValidationError) as caught:
        TapKissmetrics(config=settings)
    return sorted(caught.value.errors)


WRONG_FOR_V3: dict[str, Any] = {
    "api_token": "t",
    "api_url": "https://elsewhere.example",
    "query_url": "https://query.kissmetrics.com",  # its default, which Meltano sends
    "v3_url": "query.kissmetrics.io",
    "username": None,
    "page_size": 0,
    "product_ids": ["64361c30", 5, "6"],
    "metric_ids": ["x"],
    "reports": [{"id": "r"}],
    "queries": [{**SQL, "product_id": "p"}],
}


def test_all_settings_that_do_not_fit_version_3_are_reported_together(v3: V3Site) -> None:
    ended = v3.execute(**WRONG_FOR_V3)
    assert ended.code == 1
    assert ended.output.text == ""
    assert "Traceback" not in ended.stderr
    assert sorted(ended.errors) == [
        "metric_ids[0] must be a whole number in api_version v3",
        "page_size must be at least 1",
        "product_ids[0] must be a whole number in api_version v3",
        "queries[0].product_id must be a whole number in api_version v3",
        "reports[0].id must be a whole number in api_version v3",
        REQUIRED.format("username", "v3", "api_token", "core"),
        "v3_url must be a URL with https:// and a host",
    ]
    assert v3.requested() == []


def test_all_settings_that_do_not_fit_the_core_api_are_reported_together() -> None:
    settings: dict[str, Any] = {
        "api_version": "core",
        "username": "me@example.com",
        "metric_ids": [1],
        "product_ids": [5],
        "reports": [{"id": 6, "saved_dates": True}],
    }
    assert problems(**settings) == [
        REQUIRED.format("api_token", "core", "username", "v3"),
        "product_ids[0] must be a string in api_version core",
        "reports[0].id must be a string in api_version core",
    ]


def test_ids_are_checked_as_those_of_the_version_that_the_credentials_select() -> None:
    wanted = "product_ids[0] must be a {} in api_version {}"
    assert problems(username="u", product_ids=["p"]) == [wanted.format("whole number", "v3")]
    token = {"api_token": "t"}
    assert problems(**token, product_ids=[5]) == [wanted.format("string", "core")]
    assert len(problems(product_ids=[5])) == 1  # which version is meant is unknown


@pytest.mark.parametrize(
    ("settings", "version"),
    [
        ({"username": "u"}, "v3"),
        ({"api_token": "t"}, "core"),
        ({"username": "u", "api_token": "t"}, "v3"),
        ({"username": "u", "api_token": ""}, "v3"),
        ({"username": "", "password": "", "api_token": "t"}, "core"),
        ({"username": "u", "api_token": "t", "api_version": "core"}, "core"),
        ({"username": "u", "api_token": "t", "api_version": "v3"}, "v3"),
    ],
    ids=str,
)
def test_credentials_select_the_version(settings: dict[str, Any], version: str) -> None:
    tap = TapKissmetrics(config=settings)
    assert tap.selection.name == version
    assert ("accounts" in tap.streams) is (version == "core")


def test_credentials_of_both_are_one_notice(v3: V3Site, caplog: pytest.LogCaptureFixture) -> None:
    core: dict[str, Any] = {
        "api_token": "t",
        "api_url": "https://a.example",
        "query_url": "https://b.example",
    }
    caplog.set_level(logging.INFO)
    v3.sync("events", api_version=None, **core)
    lines = [(one.levelname, one.getMessage()) for one in caplog.records]
    assert [line for line in lines if "api_token" in line[1] or "_url" in line[1]] == [
        ("INFO", CHOICE),
        ("WARNING", f"{IGNORING} v3: api_url, query_url"),
    ]


def test_settings_of_version_3_are_ignored_in_the_core_api(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    report_id = site.runnable()[0]
    own: dict[str, Any] = {"metric_ids": [1], "queries": [SQL], "password": "p"}
    site.sync("report_results", reports=[{"id": report_id, "saved_dates": True}], **own)
    assert [one.getMessage() for one in caplog.records if one.levelname == "WARNING"] == [
        f"{IGNORING} core: password, metric_ids, queries, reports[0].saved_dates"
    ]
    assert len(site.days_run(report_id)) == 2  # a run for each day


@pytest.mark.parametrize(
    ("settings", "lines"),
    [
        ({"api_version": "v2"}, ["api_version must be one of v3, core"]),
        ({"api_version": "v3"}, ["username is required for version 3 of the API"]),
        ({"username": ""}, ["username must not be empty for version 3 of the API"]),
        ({"username": "a:b"}, ["username contains characters that are not allowed"]),
        ({"queries": [SQL, SQL]}, ["queries has two entries with the name latest"]),
        (
            {"queries": [{"name": "x"}]},
            ["queries[0].query_params is required", "queries[0].query_type is required"],
        ),
        (
            {"queries": [{**SQL, "query_params": "x"}]},
            ["queries[0].query_params must be an object, not a string"],
        ),
        (
            {"queries": [{**SQL, "query_parms": {}}]},
            ["queries[0].query_parms is not a setting of this tap (did you mean query_params?)"],
        ),
        (
            {"queries": [{**SQL, "primary_key": [""]}]},
            ["queries[0].primary_key[0] must not be empty"],
        ),
        ({"reports": [{"id": 1}, {"id": "1"}]}, ["reports has two entries with the id 1"]),
        (
            {"metric_ids": [1.5]},
            ["metric_ids[0] must be a string or a whole number, not a decimal number"],
        ),
    ],
    ids=str,
)
def test_invalid_settings_are_reported(settings: dict[str, Any], lines: list[str]) -> None:
    own = {"api_version": "v3", "username": None if settings == {"api_version": "v3"} else "u"}
    assert problems(**{**own, **settings}) == lines


@pytest.mark.parametrize(
    "settings",
    [
        {"username": "me@example.com", "password": "p"},
        {"username": "an-api-key"},
        {"username": "an-api-key", "password": ""},
        {"username": "u", "api_url": "https://api.kissmetrics.com", "password": None},
    ],
    ids=str,
)
def test_login_or_api_key_is_sufficient(settings: dict[str, Any]) -> None:
    tap = TapKissmetrics(config={"api_version": "v3", **settings})
    assert tap.config["v3_url"] == "https://query.kissmetrics.io/v3"
    assert sorted(tap.streams) == STREAMS


def test_empty_setting_of_another_version_counts_as_unset() -> None:
    """Meltano sends every default, and an empty text for a line of ``.env`` without a value."""
    both: dict[str, Any] = {"api_url": "https://api.kissmetrics.com", "metric_ids": None}
    TapKissmetrics(config={"api_version": "v3", "username": "u", "api_token": "", **both})
    TapKissmetrics(config={"api_token": "t", "username": "", "password": "", **both})
    assert problems(api_token="", username="")[0].startswith("username is required for version 3")


def test_discovery_sends_no_request(v3: V3Site) -> None:
    reports = [{"id": 5, "name": "a", "columns": ["x"]}]
    ended = v3.execute("--discover", reports=reports)
    assert ended.code == 0
    assert '"report_a"' in ended.output.text
    assert '"metric_results"' in ended.output.text
    assert '"accounts"' not in ended.output.text
    assert v3.requested() == []


def test_about_names_the_version_of_each_setting(v3: V3Site) -> None:
    ended = v3.execute("--about", "--format=markdown")
    assert ended.code == 0
    assert "v3, required: e-mail address of the login, or an API key" in ended.output.text
    assert "core, required: a personal token" in ended.output.text


def test_connection_test_reads_a_record_of_each_stream(v3: V3Site) -> None:
    one: dict[str, Any] = {"metric_ids": v3.metric_ids[:1], "queries": [SQL]}
    ended = v3.execute("--test", **one)
    assert ended.code == 0, ended.stderr
    assert "The credentials work; they can access 3 product(s)" in ended.stderr
