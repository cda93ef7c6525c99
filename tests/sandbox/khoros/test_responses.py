"""The forms of the API's responses, documented and not."""

import json
from typing import Any

import pytest
from sandbox.khoros.catalog import EXPORTS

from .client import BASE, KEY, Client, host_of
from .conftest import Serve

ENVELOPE = {"status": "PASS", "request": None, "message": None}
INNER = {"reason": None, "currentCount": None, "totalCount": None, "lastAcknowledgeTime": None}


def outer(client: Client, job: dict[str, str]) -> Any:
    return client.job(job, "status").json()["result"]


def test_a_creation_returns_ids_and_a_status_url_with_the_key(client: Client) -> None:
    response = client.create("response").json()
    result = response.pop("result")
    assert response == ENVELOPE
    assert list(result) == ["workflowId", "runId", "downloadUrl", "statusUrl"]
    assert result["downloadUrl"] == ""
    assert result["statusUrl"].startswith(f"{client.at.api}{BASE}/reports/report/")
    assert result["statusUrl"].endswith("%3D/status?companyKey=demo-company")
    assert client.request("GET", result["statusUrl"].removeprefix(client.at.api)).status_code == 200


def test_a_status_has_the_job_and_its_state(client: Client) -> None:
    job = client.done("response")
    result = outer(client, job)
    state = {"runnerState": "CLOSED", "detail": "COMPLETED"}
    assert result["result"] == {**INNER, **state}
    info = result["jobInfo"]
    assert (info["workflowId"], info["runId"]) == (job["workflowId"], job["runId"])
    assert "?analyticsAccessToken=" in info["downloadUrl"]
    assert info["downloadUrl"].endswith("%3D%3D")


def test_a_status_is_an_object_for_a_ready_job_and_otherwise_a_list(serve: Serve) -> None:
    client = serve(failing_runs={"author": -1})
    job, failed = client.started("response"), client.started("author")
    assert [type(outer(client, job)) for _ in range(2)] == [list, dict]
    assert [type(outer(client, failed)) for _ in range(2)] == [list, list]


@pytest.mark.parametrize(("form", "kind"), [("object", dict), ("list", list)])
def test_the_form_of_a_status_is_configurable(serve: Serve, form: str, kind: type) -> None:
    client = serve(status_result=form, empty_url_polls=1)
    job = client.started("response")
    assert [type(outer(client, job)) for _ in range(3)] == [kind] * 3


def test_the_user_export_has_a_download_url_before_it_is_ready(client: Client) -> None:
    early = {name: client.started(name)["downloadUrl"] for name in EXPORTS}
    assert [name for name, url in early.items() if url] == ["user"]
    target = early["user"].removeprefix(client.at.api)
    assert client.request("GET", target).status_code == 404


def test_early_urls_and_bare_ids_are_configurable(serve: Serve) -> None:
    client = serve(early_download_urls=["author"], bare_creations=["response"])
    assert client.started("author")["downloadUrl"]
    assert not client.started("user")["downloadUrl"]
    assert list(client.started("response")) == ["workflowId", "runId"]


def test_a_creation_can_return_a_list_or_an_exception_text(serve: Serve) -> None:
    client = serve(creation_result={"author": "list"}, creation_errors={"user": "java.lang.Oops"})
    assert isinstance(client.create("author").json()["result"], list)
    assert isinstance(client.create("response").json()["result"], dict)
    failed = client.create("user")
    assert (failed.status_code, failed.json()) == (200, {**ENVELOPE, "result": "java.lang.Oops"})
    assert [job.export for job in client.khoros.jobs] == ["author", "response"]


def test_urls_can_have_a_foreign_host(serve: Serve) -> None:
    client = serve(foreign_url="https://analytics-api.qa.example")
    assert host_of(client.started("response")["statusUrl"]) == "analytics-api.qa.example"
    info = outer(client, client.done("response"))["jobInfo"]
    for url in (info["statusUrl"], info["downloadUrl"]):
        assert host_of(url) == "analytics-api.qa.example"


def test_urls_have_the_requested_host_or_the_one_that_was_set(client: Client) -> None:
    def host(**options: Any) -> str:
        url = f"{BASE}/reports/report/user"
        params = {**KEY, "startTime": "0", "endTime": "1"}
        return host_of(
            client.request("GET", url, params=params, **options).json()["result"]["statusUrl"]
        )

    assert host(headers={"Host": "analytics.example:8443"}) == "analytics.example:8443"
    client.khoros.api_url = "https://set.example"
    assert host() == "set.example"


@pytest.mark.parametrize(
    ("switch", "creation", "status"),
    [
        ("mixed", "application/json", "text/plain;charset=UTF-8"),
        ("text/plain", "text/plain", "text/plain"),
        ("application/json", "application/json", "application/json"),
    ],
)
def test_the_content_type_is_configurable(
    serve: Serve, switch: str, creation: str, status: str
) -> None:
    client = serve(content_type=switch)
    response = client.create("response")
    assert response.headers["Content-Type"] == creation
    polled = client.job(response.json()["result"], "status")
    assert polled.headers["Content-Type"] == status
    assert polled.json()["status"] == "PASS"


def test_teams_have_integer_ids_and_null_descriptions(client: Client) -> None:
    response = client.request("GET", f"{BASE}/teams", params=KEY)
    teams = response.json()["result"]
    assert teams == client.khoros.data.teams
    assert [team["teamId"] for team in teams] == [301, 302, 303]
    assert list(teams[0]) == ["uuid", "teamId", "name", "description", "numberOfMembers"]
    assert teams[2]["description"] is None
    assert sum(team["numberOfMembers"] for team in teams) == 12


def test_teams_can_follow_a_line_that_is_not_json(serve: Serve) -> None:
    client = serve(has_stray_line=True)
    line, _, rest = client.request("GET", f"{BASE}/teams", params=KEY).text.partition("\n")
    assert not line.startswith("{")
    assert json.loads(rest) == {**ENVELOPE, "result": client.khoros.data.teams}


def test_time_zones_have_an_id_and_an_offset(client: Client) -> None:
    response = client.request("GET", f"{BASE}/config/timezones", params={**KEY, "locale": "de"})
    zones = response.json()["result"]
    assert zones == client.khoros.data.timezones
    assert zones[0]["id"] == "Etc/GMT+12"
    assert (zones[0]["offsetString"], zones[0]["offsetMillis"]) == ("-12:00", -43_200_000)
    assert zones[-1]["id"] == "Pacific/Apia"
    assert all(client.create("response", timezone=zone["id"]).ok for zone in zones)


@pytest.mark.parametrize(
    ("target", "query"),
    [("teams", {"locale": "en"}), ("config/timezones", {"locale": "xx"})],
)
def test_lookups_refuse_other_parameters(
    client: Client, target: str, query: dict[str, str]
) -> None:
    response = client.request("GET", f"{BASE}/{target}", params={**KEY, **query})
    assert response.status_code == 400


def test_both_hosts_share_one_log(client: Client) -> None:
    client.export("response")
    seen = [(entry.method, entry.status) for entry in client.khoros.log.requests]
    assert seen == [("POST", 200), ("GET", 200), ("GET", 200), ("GET", 307), ("GET", 200)]
