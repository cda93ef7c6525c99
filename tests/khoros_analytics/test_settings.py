"""Wrong settings are told at once, each in a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import ConfigValidationError
from tap_khoros_analytics.client import HOSTS, Client
from tap_khoros_analytics.tap import TapKhorosAnalytics

from tests.khoros_analytics.site import ACCESS

if TYPE_CHECKING:
    from tests.khoros_analytics.site import Site


def complaints(**changes: Any) -> list[str]:
    settings = {name: value for name, value in {**ACCESS, **changes}.items() if value is not None}
    with pytest.raises(ConfigValidationError) as caught:
        TapKhorosAnalytics(config=settings)
    return sorted(caught.value.errors)


def exports(export: str, **options: Any) -> dict[str, Any]:
    return {"exports": {export: options}}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"username": None}, "username: is required"),
        ({"password": ""}, "password: must not be empty"),
        ({"company_key": 7}, "company_key: has to be a text, not a number"),
        ({"region": "apac"}, "region: has to be one of ['us', 'emea']"),
        ({"api_url": "http://analytics.example"}, "api_url: has to begin with https://"),
        ({"report_format": "xml"}, "report_format: has to be one of"),
        ({"time_interval": 3_600_001}, "time_interval: has to be one of 300000, 600000"),
        ({"time_interval": 3_600_000.5}, "time_interval: has to be a whole number"),
        ({"conversation_report_types": []}, "conversation_report_types: must not be empty"),
        ({"conversation_report_types": ["OPEN"]}, "conversation_report_types[0]: has to be one"),
        ({"poll_interval_ms": 0}, "poll_interval_ms: has to be at least 1"),
        ({"exports": []}, "exports: has to be an object, not a list"),
        ({"exports": {"convresation": {}}}, "exports.convresation: there is no such export (did"),
        (exports("author", column=[]), "exports.author.column: is not a setting of this tap (did"),
        (exports("author", columns="A"), "exports.author.columns: has to be a list, not a text"),
        (exports("author", method="PUT"), "exports.author.method: has to be one of"),
        (exports("author", filters=[]), "exports.author.filters: has to be an object"),
        (
            exports("author", filters={"teamIds": [1]}),
            "exports.author.filters.teamIds: is not a filter of this export; it has timezoneOffset",
        ),
        (
            exports("user", filters={"priorities": [1]}),
            "exports.user.filters.priorities: is not a filter of this export; it has agentId",
        ),
        (
            exports("conversation", filters={"conversationReportType": "CREATED"}),
            "exports.conversation.filters.conversationReportType: is not a filter",
        ),
        (
            exports("author", filters={"businessHourType": True}),
            "exports.author.filters.businessHourType: needs enableBusinessHour: true",
        ),
        (
            exports("author", filters={"enableBusinessHour": "yes"}),
            "exports.author.filters.enableBusinessHour: has to be true or false",
        ),
        (
            exports("author", filters={"priorities": [6]}),
            "exports.author.filters.priorities: has to be of 0 to 5",
        ),
        (
            exports("author", filters={"smartViewId": [1, 2]}),
            "exports.author.filters.smartViewId: has to be a text or a number",
        ),
        (
            exports("author", filters={"workqueueIds": None}),
            "exports.author.filters.workqueueIds: has to be a text, a number or a list of them",
        ),
        (
            exports("user", filters={"agentId": [{"id": 1}]}),
            "exports.user.filters.agentId: has to be a text, a number or a list of them",
        ),
        ({"start_date": "2024-13-01"}, "start_date: is not a date"),
    ],
    ids=str,
)
def test_a_wrong_setting_is_named_with_what_is_wrong(changes: dict[str, Any], words: str) -> None:
    (complaint,) = complaints(**changes)
    assert complaint.startswith(words)


def test_all_that_is_wrong_is_told_at_once() -> None:
    found = complaints(
        password=None,
        time_interval=1_000_000,
        **exports("author", filters={"teamIds": 1, "businessHourType": True}),
    )
    names = [complaint.partition(": ")[0] for complaint in found]
    assert names == [
        "exports.author.filters.businessHourType",
        "exports.author.filters.teamIds",
        "password",
        "time_interval",
    ]


def test_wrong_settings_ask_nothing_of_the_vendor(site: Site) -> None:
    for arguments in ((), ("--test",)):
        ended = site.execute(*arguments, locale="", time_interval=7)
        assert ended.code == 1
        assert len(ended.errors) == 2
        assert "Traceback" not in ended.stderr
    assert site.api.log.requests == []


@pytest.mark.parametrize("region", ["us", "emea"])
def test_the_region_is_the_host(region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = []
    tap = TapKhorosAnalytics(config={**ACCESS, "region": region, "discover_columns": False})
    monkeypatch.setattr(
        "tap_khoros_analytics.client.api_at", lambda _, url, **__: hosts.append(url)
    )
    Client(tap)
    assert hosts == [HOSTS[region]]


def test_test_says_that_the_credentials_work(site: Site) -> None:
    ended = site.execute("--test")
    assert ended.code == 0
    assert "The credentials work; the company has 3 team(s)" in ended.stderr
    assert "Every stream could be read" in ended.stderr
