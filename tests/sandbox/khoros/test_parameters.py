"""The parameters of a creation, and where they must be."""

import json
from typing import Any

import pytest
from sandbox.khoros.catalog import EXPORTS

from .client import DAY, DAY_MS, KEY, WINDOW, Client, path_of
from .conftest import Serve

IN_BODY = ("conversation_actions", "conversation_history_action", "user")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("export", EXPORTS)
@pytest.mark.parametrize(
    "wrong",
    [
        {"startTime": None},
        {"endTime": None},
        {"startTime": "2026-04-20"},
        {"startTime": "1776643200.0"},
        {"startTime": str(DAY), "endTime": str(DAY - 1)},
        {"reportFormat": "CSV"},
        {"reportFormat": ""},
        {"reportformat": "csv"},
        {"reportMetrics": "NO_SUCH_METRIC"},
        {"reportMetrics": "conversation_id"},
        {"locale": "en_GB"},
        {"locale": "EN"},
        {"unknown": "1"},
        {"reportFormat": ["csv", "json"]},
    ],
    ids=str,
)
def test_parameters_that_no_export_accepts_return_400(
    client: Client, export: str, wrong: dict[str, Any]
) -> None:
    response = client.create(export, wrong)
    assert response.status_code == 400
    assert response.json()["status"] == "FAIL"
    assert client.khoros.jobs == []


@pytest.mark.parametrize(
    ("name", "value", "exports"),
    [
        ("timezone", "America/Chicago", set(EXPORTS) - {"user", "raw_brand_posts"}),
        ("timezoneOffset", "-21600000", set(EXPORTS) - {"user", "raw_brand_posts"}),
        ("priorities", "0,5", set(EXPORTS) - {"user", "raw_brand_posts"}),
        ("smartViewId", "11", set(EXPORTS) - {"user", "raw_brand_posts"}),
        ("workqueueIds", "101,102", set(EXPORTS) - {"user", "raw_brand_posts"}),
        ("enableBusinessHour", "true", set(EXPORTS) - {"user", "raw_brand_posts"}),
        ("conversationReportType", "CREATED", {"conversation"}),
        ("raiselimit", "true", {"conversation_history_action"}),
        ("agentId", ["70001", "70002"], {"user"}),
        ("teamId", ["301", "302"], {"user"}),
        ("timeInterval", "3600000", {"team_performance_interval"}),
        (
            "teamIds",
            "301,302",
            {"raw_agent_states", "response_approval"}
            | {"team_performance", "team_performance_interval"},
        ),
        (
            "includeDisabled",
            "true",
            {"user", "response_approval", "team_performance", "team_performance_interval"},
        ),
    ],
)
def test_filters_are_accepted_only_by_their_exports(
    client: Client, name: str, value: Any, exports: set[str]
) -> None:
    taken = {
        export for export in EXPORTS if client.create(export, {name: value}).status_code == 200
    }
    assert taken == exports


@pytest.mark.parametrize(
    "wrong",
    [
        {"timezone": "Mars/Olympus"},
        {"timezone": "america/chicago"},
        {"timezoneOffset": "one hour"},
        {"timezoneOffset": "99999999"},
        {"priorities": "6"},
        {"priorities": "high"},
        {"priorities": ["1", "2"]},
        {"workqueueIds": "1,"},
        {"smartViewId": "11,12"},
        {"smartViewId": "99"},
        {"enableBusinessHour": "yes"},
        {"businessHourType": "true"},
        {"businessHourType": "true", "enableBusinessHour": "false"},
        {"conversationReportType": "open_at_end"},
        {"conversationReportType": "ALL"},
    ],
    ids=str,
)
def test_invalid_values_of_filters_return_400(client: Client, wrong: dict[str, Any]) -> None:
    assert client.create("conversation", wrong).status_code == 400


def test_a_400_can_be_the_documented_empty_object(serve: Serve) -> None:
    response = serve(empty_400=True).create("response", {"unknown": "1"})
    assert (response.status_code, response.json()) == (400, {})


def test_unknown_parameters_can_be_ignored(serve: Serve) -> None:
    client = serve(lenient_parameters=True)
    assert client.create("combined", {"timeInterval": "3600000"}).status_code == 200


@pytest.mark.parametrize("export", IN_BODY)
def test_some_posts_have_all_parameters_but_the_key_in_the_body(
    client: Client, export: str
) -> None:
    path, everything = path_of(export), {**KEY, **WINDOW}
    in_query = client.request("POST", path, params=everything, headers=FORM)
    assert in_query.status_code == 400
    key_in_body = client.request("POST", path, params=KEY, data=everything)
    assert key_in_body.status_code == 400
    both = client.request("POST", path, params={**KEY, "locale": "en"}, data=WINDOW)
    assert both.status_code == 400
    assert client.request("POST", path, params=KEY, data=WINDOW).status_code == 200
    assert client.request("POST", path, params=KEY, json=WINDOW).status_code == 200


@pytest.mark.parametrize("export", sorted(set(EXPORTS) - set(IN_BODY)))
def test_all_other_exports_refuse_a_body(client: Client, export: str) -> None:
    path = path_of(export)
    assert client.request("POST", path, params=KEY, data=WINDOW).status_code == 400
    both = client.request("POST", path, params={**KEY, **WINDOW}, data={"locale": "en"})
    assert both.status_code == 400


def test_raiselimit_must_be_in_the_query(client: Client) -> None:
    path, raised = path_of("conversation_history_action"), {"raiselimit": "true"}
    assert client.request("POST", path, params=KEY, data={**WINDOW, **raised}).status_code == 400
    assert client.request("POST", path, params={**KEY, **raised}, data=WINDOW).status_code == 200


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json; charset=utf-8", json.dumps(WINDOW), 200),
        ("application/json", json.dumps({**WINDOW, "reportMetrics": ["AGENT_ID"]}), 200),
        ("application/json", json.dumps({**WINDOW, "includeDisabled": True}), 200),
        ("application/json", json.dumps({**WINDOW, "startTime": DAY}), 400),
        ("application/json", json.dumps([WINDOW]), 400),
        ("application/json", "{", 400),
        ("application/x-www-form-urlencoded", "startTime", 400),
        ("text/plain", "startTime=1&endTime=2", 415),
        ("", "startTime=1&endTime=2", 415),
    ],
)
def test_bodies_must_be_forms_or_json(
    client: Client, content_type: str, body: str, status: int
) -> None:
    headers = {"Content-Type": content_type}
    response = client.request("POST", path_of("user"), params=KEY, data=body, headers=headers)
    assert response.status_code == status


def test_one_type_of_body_can_be_refused(serve: Serve) -> None:
    client, path = serve(body_types=["form"]), path_of("user")
    assert client.request("POST", path, params=KEY, json=WINDOW).status_code == 415
    assert client.request("POST", path, params=KEY, data=WINDOW).status_code == 200


@pytest.mark.parametrize(
    ("interval", "days", "outcome"),
    [
        (None, 1, 400),
        ("0", 1, 400),
        ("60000", 1, 400),
        ("hour", 1, 400),
        ("3600000", 1, 24),
        ("3600000", 2, "49"),
        ("300000", 1, "289"),
        ("14400000", 7, "43"),
        ("28800000", 7, 21),
        ("86400000", 31, 31),
        ("86400000", 32, "33"),
        ("604800000", 31, 5),
        ("604800001", 90, 4),
    ],
)
def test_intervals_must_be_documented_and_not_too_many(
    client: Client, interval: str | None, days: int, outcome: int | str
) -> None:
    window = {"startTime": str(DAY), "endTime": str(DAY + days * DAY_MS), "timeInterval": interval}
    response = client.create("team_performance_interval", window)
    if outcome == 400:
        assert response.status_code == 400
    elif isinstance(outcome, str):
        assert response.status_code == 200
        assert f"HydrationException: Too many buckets ({outcome}) req" in response.json()["result"]
        assert client.khoros.jobs == []
    else:
        rows = client.rows("team_performance_interval", **window)
        assert len({row["INTERVAL_START"] for row in rows}) == outcome


def test_too_many_buckets_return_the_vendors_message(client: Client) -> None:
    window = {"startTime": str(DAY), "endTime": str(DAY + 31 * DAY_MS), "timeInterval": "3600000"}
    response = client.create("team_performance_interval", window)
    assert response.json()["status"] == "PASS"
    assert response.json()["result"] == (
        "Unable to hydrate filter for export info: com.lithium.socialweb.analytics.webapp.models."
        "filter.HydrationException: Too many buckets (745) requested. Select a larger interval?"
    )
