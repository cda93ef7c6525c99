"""Settings that do not fit the version are told all at once, a line each, before anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import ConfigValidationError
from tap_kissmetrics.tap import TapKissmetrics

from tests.kissmetrics.v3.site import SQL, STREAMS

if TYPE_CHECKING:
    from tests.kissmetrics.v3.site import V3Site


def problems(**settings: Any) -> list[str]:
    """The lines that these settings give."""
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


def test_what_does_not_fit_version_3_is_told_at_once(v3: V3Site) -> None:
    ended = v3.execute(**WRONG_FOR_V3)
    assert ended.code == 1
    assert ended.output.text == ""
    assert "Traceback" not in ended.stderr
    assert sorted(ended.errors) == [
        "api_token: belongs to api_version core, and api_version is v3",
        "api_url: belongs to api_version core, and api_version is v3",
        "metric_ids[0]: has to be a whole number in api_version v3",
        "page_size: has to be at least 1",
        "product_ids[0]: has to be a whole number in api_version v3",
        "queries[0].product_id: has to be a whole number in api_version v3",
        "reports[0].id: has to be a whole number in api_version v3",
        "username: is required",
        "v3_url: is not an address: it has to begin with https:// and a host",
    ]
    assert v3.asked() == []


def test_what_does_not_fit_the_core_api_is_told_at_once() -> None:
    settings: dict[str, Any] = {
        "username": "me@example.com",
        "password": "p",
        "v3_url": "https://elsewhere.example",
        "metric_ids": ["1"],
        "queries": [SQL],
        "product_ids": [5],
        "reports": [{"id": "r1", "saved_dates": True}],
    }
    v3 = "belongs to api_version v3, and api_version is core"
    assert problems(**settings) == [
        "api_token: is required",
        f"metric_ids: {v3}",
        f"password: {v3}",
        "product_ids[0]: has to be a text in api_version core",
        f"queries: {v3}",
        "reports[0].saved_dates: belongs to api_version v3",
        f"username: {v3}",
        f"v3_url: {v3}",
    ]


@pytest.mark.parametrize(
    ("settings", "lines"),
    [
        ({"api_version": "v2"}, ["api_version: has to be one of ['core', 'v3']"]),
        ({"api_version": "v3"}, ["username: is required"]),
        ({"username": ""}, ["username: must not be empty"]),
        ({"username": "a:b"}, ["username: has characters that are not allowed there"]),
        ({"queries": [SQL, SQL]}, ["queries: two are named latest"]),
        (
            {"queries": [{"name": "x"}]},
            ["queries[0].query_params: is required", "queries[0].query_type: is required"],
        ),
        (
            {"queries": [{**SQL, "query_params": "x"}]},
            ["queries[0].query_params: has to be an object, not a text"],
        ),
        (
            {"queries": [{**SQL, "query_parms": {}}]},
            ["queries[0].query_parms: is not a setting of this tap (did you mean query_params?)"],
        ),
        (
            {"queries": [{**SQL, "primary_key": [""]}]},
            ["queries[0].primary_key[0]: must not be empty"],
        ),
        ({"reports": [{"id": 1}, {"id": "1"}]}, ["reports: the id 1 is there twice"]),
        (
            {"metric_ids": [1.5]},
            ["metric_ids[0]: has to be a text or a whole number, not a decimal number"],
        ),
    ],
    ids=str,
)
def test_settings_that_are_wrong_in_themselves(settings: dict[str, Any], lines: list[str]) -> None:
    own: dict[str, Any] = {"api_version": "v3"} | (
        {"username": "u"} if settings.keys() != {"api_version"} else {}
    )
    found = problems(**{**own, **settings})
    assert found == lines or (settings == {"api_version": "v2"} and lines[0] in found)


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
def test_a_login_or_an_api_key(settings: dict[str, Any]) -> None:
    tap = TapKissmetrics(config={"api_version": "v3", **settings})
    assert tap.config["v3_url"] == "https://query.kissmetrics.io/v3"
    assert sorted(tap.streams) == STREAMS


def test_a_line_of_the_environment_that_was_not_filled_in_is_not_set() -> None:
    """Meltano gives an empty text for it, and every default there is."""
    both: dict[str, Any] = {"api_url": "https://api.kissmetrics.com", "metric_ids": None}
    TapKissmetrics(config={"api_version": "v3", "username": "u", "api_token": "", **both})
    TapKissmetrics(config={"api_token": "t", "username": "", "password": "", **both})
    assert problems(api_token="", username="") == ["api_token: must not be empty"]


def test_discovery_asks_nothing(v3: V3Site) -> None:
    reports = [{"id": 5, "name": "a", "columns": ["x"]}]
    ended = v3.execute("--discover", reports=reports)
    assert ended.code == 0
    assert '"report_a"' in ended.output.text
    assert '"metric_results"' in ended.output.text
    assert '"accounts"' not in ended.output.text
    assert v3.asked() == []


def test_about_tells_which_setting_is_of_which_version(v3: V3Site) -> None:
    ended = v3.execute("--about", "--format=markdown")
    assert ended.code == 0
    assert "v3, required: e-mail of the login, or an API key" in ended.output.text
    assert "core, required: a personal token" in ended.output.text


def test_the_connection_test_reads_a_record_of_each_stream(v3: V3Site) -> None:
    one: dict[str, Any] = {"metric_ids": v3.metric_ids[:1], "queries": [SQL]}
    ended = v3.execute("--test", **one)
    assert ended.code == 0, ended.stderr
    assert "The credentials work; they see 3 product(s)" in ended.stderr
