"""Invalid settings are reported together, in a line each, before any request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import ConfigValidationError
from tap_kindmetrics.tap import TapKindmetrics

from tests.kindmetrics.site import TOKEN
from tests.processes import execute

if TYPE_CHECKING:
    from tests.kindmetrics.conftest import Serve
    from tests.kindmetrics.site import Site

WRONG: dict[str, Any] = {
    "start_date": "last week",
    "end_date": "2024-13-01",
    "window_days": 0,
    "lookback_days": -1,
    "max_concurrency": "8",
    "requests_per_minute": 0,
    "request_timeout": 301,
    "state_interval": None,
    "shard": "2/2",
    "user_agent": "",
    "domain_ids": ["1"],
    "segments": [{"name": "a", "sorce_name": "x"}, {"source_name": "x"}],
    "start_dat": "2024-01-01",
}


def problems(**settings: Any) -> list[str]:
    """Return the errors for these settings."""
    config = {"api_token": TOKEN, **settings}
    with pytest.raises(ConfigValidationError) as caught:
        TapKindmetrics(config=config)
    return sorted(caught.value.errors)


def test_all_invalid_settings_are_reported_together(site: Site) -> None:
    ended = site.execute(**WRONG)
    assert ended.code == 1
    assert ended.output.text == ""
    assert "Traceback" not in ended.stderr
    assert sorted(ended.errors) == [
        "domain_ids[0] must be a whole number, not a string",
        "end_date must be a date in YYYY-MM-DD format",
        "lookback_days must be at least 0",
        "max_concurrency must be a whole number, not a string",
        "request_timeout must be at most 300",
        "requests_per_minute must be at least 1",
        "segments[0].sorce_name is not a setting of this tap (did you mean source_name?)",
        "segments[1].name is required",
        "shard must be i/n with i from 0 to n-1, such as 0/2 or 1/2",
        "start_dat is not a setting of this tap (did you mean start_date?)",
        "start_date must be a date in YYYY-MM-DD format",
        "user_agent must not be empty",
        "window_days must be at least 1",
    ]
    assert site.requested() == []


@pytest.mark.parametrize("arguments", [("--test",), ("--test=schema",), ()], ids=str)
def test_missing_settings_are_reported_in_one_line(arguments: tuple[str, ...], site: Site) -> None:
    ended = execute(*site.command(*arguments)[:1], *arguments)
    ended.assert_one_error_line("api_token is required")
    assert ended.output.text == ""


@pytest.mark.parametrize(
    ("settings", "lines"),
    [
        ({"api_token": None}, ["api_token is required"]),
        ({"api_token": ""}, ["api_token must not be empty"]),
        ({"api_token": 5}, ["api_token must be a string, not a number"]),
        (
            {"segments": [{"name": "a"}, {"name": "b"}, {"name": "a", "country": "SE"}]},
            ["segments must have different names, two are named 'a'"],
        ),
        (
            {"segments": [{"name": "a" * 256}]},
            ["segments[0].name must have at most 255 characters"],
        ),
        ({"segments": [{"name": ""}]}, ["segments[0].name must not be empty"]),
        (
            {"segments": [{"name": "a", "goal_id": "11"}]},
            ["segments[0].goal_id must be a whole number, not a string"],
        ),
        (
            {"segments": [{"name": "a"}, {"name": "b", "goal_id": 1, "domain_ids": [1, 2]}]},
            ["segments[1].domain_ids must have one id, since a goal belongs to one domain"],
        ),
        (
            {"segments": [{"name": "a", "domain_ids": []}]},
            ["segments[0].domain_ids must not be empty"],
        ),
        ({"segments": "all"}, ["segments must be a list, not a string"]),
        ({"domain_ids": 1}, ["domain_ids must be a list, not a number"]),
        (
            {"start_date": "2024-02-02", "end_date": "2024-02-01"},
            ["start_date must not be after end_date"],
        ),
    ],
    ids=str,
)
def test_an_invalid_setting_is_reported_in_words(
    settings: dict[str, Any], lines: list[str]
) -> None:
    assert problems(**settings) == lines


@pytest.mark.parametrize("token", ["abc\n", "abc def", " abc", "tökén", "\u2028", "a\x00b"])
def test_a_token_that_is_not_valid_in_a_header_is_rejected(token: str) -> None:
    assert problems(api_token=token) == ["api_token contains characters that are not allowed"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://app.kindmetrics.io", "https://"),
        ("http://192.168.1.5:8080", "https://"),
        ("http://127.0.0.1.example.org", "https://"),
        ("http://localhost.example.org", "https://"),
        ("app.kindmetrics.io", "https://"),
        ("ftp://app.kindmetrics.io", "https://"),
        ("https://user:hunter2@app.kindmetrics.io", "user name or password"),
        ("https://app.kindmetrics.io?token=hunter2", "query"),
        ("https://app.kindmetrics.io#x", "fragment"),
        ("https://", "host"),
        ("https://[::1", "valid URL"),
        ("", "host"),
    ],
)
def test_an_unsafe_address_is_rejected(url: str, words: str) -> None:
    (line,) = problems(api_url=url)
    assert line.startswith("api_url must ")
    assert words in line
    assert "hunter2" not in line


def test_an_address_can_end_with_a_slash(serve: Serve) -> None:
    site = serve(domains=1)
    output = site.sync(api_url=f"{site.url}/", end_date="2024-02-01")
    assert len(output.rows("domain_stats")) == 1


def test_a_null_setting_counts_as_unset(site: Site) -> None:
    settings = site.settings()
    none = dict.fromkeys(("domain_ids", "segments", "shard", "window_days", "user_agent"))
    tap = TapKindmetrics(config={**settings, **none})
    assert tap.config["window_days"] == 1
    assert tap.run.user_agent.startswith("tap-kindmetrics/")


def test_the_tap_sends_its_name_as_user_agent(site: Site) -> None:
    site.sync(end_date="2024-02-01")
    site.sync(end_date="2024-02-01", user_agent="Nightly job (data@example.org)")
    agents = list(dict.fromkeys(r.headers["user-agent"] for r in site.api.log.requests))
    assert len(agents) == 2
    assert agents[0].startswith("tap-kindmetrics/0.")
    assert agents[1] == "Nightly job (data@example.org)"


def test_settings_can_come_from_environment_variables(site: Site) -> None:
    environment = {
        "TAP_KINDMETRICS_API_URL": site.url,
        "TAP_KINDMETRICS_API_TOKEN": TOKEN,
        "TAP_KINDMETRICS_START_DATE": "2024-02-01",
        "TAP_KINDMETRICS_END_DATE": "2024-02-02",
        "TAP_KINDMETRICS_DOMAIN_IDS": "[2]",
        "TAP_KINDMETRICS_WINDOW_DAYS": "2",
    }
    ended = execute(site.command()[0], "--config", "ENV", environment=environment)
    assert ended.code == 0, ended.stderr
    assert [row["domain_id"] for row in ended.output.rows("domain_stats")] == [2]
