"""Invalid settings are reported together, in a line each, before any request."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from singer_sdk.exceptions import ConfigValidationError
from tap_khoros_analytics.client import HOSTS, Client
from tap_khoros_analytics.tap import TapKhorosAnalytics

from tests.khoros_analytics.mocked import JSON
from tests.khoros_analytics.site import ACCESS

if TYPE_CHECKING:
    from tests.khoros_analytics.site import Site


def problems(**changes: Any) -> list[str]:
    """Return the errors for invalid settings; a change to None removes a setting."""
    config = {name: value for name, value in {**ACCESS, **changes}.items() if value is not None}
    with pytest.raises(ConfigValidationError) as caught:
        TapKhorosAnalytics(config=config)
    return sorted(caught.value.errors)


def setting_of(problem: str) -> str:
    return re.split(r":? ", problem, maxsplit=1)[0]


def exports(export: str, **options: Any) -> dict[str, Any]:
    return {"exports": {export: options}}


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"username": None}, "username"),
        ({"password": ""}, "password"),
        ({"company_key": 7}, "company_key"),
        ({"region": "apac"}, "region"),
        ({"api_url": "http://analytics.example"}, "api_url"),
        ({"report_format": "xml"}, "report_format"),
        ({"time_interval": 3_600_000.5}, "time_interval"),
        ({"conversation_report_types": ["OPEN"]}, "conversation_report_types[0]"),
        ({"poll_interval_ms": 0}, "poll_interval_ms"),
        ({"exports": []}, "exports"),
        (exports("author", column=[]), "exports.author.column"),
        (exports("author", columns="A"), "exports.author.columns"),
        (exports("author", method="PUT"), "exports.author.method"),
        (exports("author", filters=[]), "exports.author.filters"),
        ({"start_date": "2024-13-01"}, "start_date"),
    ],
    ids=str,
)
def test_a_setting_that_does_not_fit_the_schema_is_reported_once(
    changes: dict[str, Any], setting: str
) -> None:
    (problem,) = problems(**changes)
    assert setting_of(problem) == setting


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"time_interval": 3_600_001}, "time_interval must be one of 300000, 600000"),
        ({"conversation_report_types": []}, "conversation_report_types must not be empty"),
        (
            {"exports": {"convresation": {}}},
            "exports.convresation is not an export (did you mean conversation?)",
        ),
        (
            exports("author", filters={"teamIds": [1]}),
            "exports.author.filters.teamIds is not a filter of this export; use one of timezoneOff",
        ),
        (
            exports("user", filters={"priorities": [1]}),
            "exports.user.filters.priorities is not a filter of this export; use one of agentId",
        ),
        (
            exports("conversation", filters={"conversationReportType": "CREATED"}),
            "exports.conversation.filters.conversationReportType is not a filter",
        ),
        (
            exports("author", filters={"businessHourType": True}),
            "exports.author.filters.businessHourType needs enableBusinessHour to be true",
        ),
        (
            exports("author", filters={"enableBusinessHour": "yes"}),
            "exports.author.filters.enableBusinessHour must be true or false",
        ),
        (
            exports("author", filters={"priorities": [6]}),
            "exports.author.filters.priorities must have values from 0 to 5",
        ),
        (
            exports("author", filters={"smartViewId": [1, 2]}),
            "exports.author.filters.smartViewId must be a string or a number",
        ),
        (
            exports("author", filters={"workqueueIds": None}),
            "exports.author.filters.workqueueIds must be a string, a number or a list of them",
        ),
        (
            exports("user", filters={"agentId": [{"id": 1}]}),
            "exports.user.filters.agentId must be a string, a number or a list of them",
        ),
    ],
    ids=str,
)
def test_a_setting_that_fits_the_schema_is_checked_further(
    changes: dict[str, Any], expected: str
) -> None:
    (problem,) = problems(**changes)
    assert problem.startswith(expected)


def test_all_invalid_settings_are_reported_together() -> None:
    filters = {"teamIds": 1, "businessHourType": True}
    found = problems(
        password=None,
        time_interval=1_000_000,
        exports={"author": {"filters": filters, "method": "PUT"}, "autor": {"columns": "all"}},
    )
    assert [setting_of(problem) for problem in found] == [
        "exports.author.filters.businessHourType",
        "exports.author.filters.teamIds",
        "exports.author.method",
        "exports.autor",
        "exports.autor.columns",
        "password",
        "time_interval",
    ]


def test_a_wrong_filter_is_reported_beside_errors_of_the_schema() -> None:
    options = {
        "author": {"column": [], "filters": {"teamIds": 1}},
        "user": {"filters": []},
        "combined": {"filters": {"priorities": []}, "columns": 7},
        "convresation": 5,
        "response": None,
    }
    found = problems(exports=options, time_interval=True, conversation_report_types="OPEN")
    assert [setting_of(problem) for problem in found] == [
        "conversation_report_types",
        "exports.author.column",
        "exports.author.filters.teamIds",
        "exports.combined.columns",
        "exports.combined.filters.priorities",
        "exports.convresation",
        "exports.response",
        "exports.user.filters",
        "time_interval",
    ]
    assert found[4].endswith(" must be a string, a number or a list of them")


@given(value=JSON, other=JSON)
def test_settings_of_any_type_are_accepted_or_problems(value: Any, other: Any) -> None:
    exports = {"author": {"filters": value, "columns": other}, "user": other}
    changes = {"time_interval": value, "conversation_report_types": other, "locale": None}
    with contextlib.suppress(ConfigValidationError):
        TapKhorosAnalytics(config={**ACCESS, **changes, "exports": exports})


def test_invalid_settings_send_no_request(site: Site) -> None:
    for arguments in ((), ("--test",)):
        ended = site.execute(*arguments, locale="", time_interval=7)
        assert ended.code == 1
        assert len(ended.errors) == 2
        assert "Traceback" not in ended.stderr
    assert site.api.log.requests == []


@pytest.mark.parametrize("region", ["us", "emea"])
def test_the_region_selects_the_host(region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = []
    tap = TapKhorosAnalytics(config={**ACCESS, "region": region, "discover_columns": False})
    monkeypatch.setattr(tap.run, "open_api", lambda url, **_: hosts.append(url))
    Client(tap.run)
    assert hosts == [HOSTS[region]]


def test_the_option_test_reports_that_the_credentials_work(site: Site) -> None:
    ended = site.execute("--test")
    assert ended.code == 0
    assert "The credentials work; the company has 3 team(s)" in ended.stderr
    assert "Every stream could be read" in ended.stderr
