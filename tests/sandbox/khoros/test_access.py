"""Access, routes and methods, and error responses."""

import pytest
from sandbox.khoros.catalog import EXPORTS

from .client import ACCESS, BASE, KEY, WINDOW, Client, path_of
from .conftest import Serve

FAIL = {"status": "FAIL", "request": None, "result": None}


@pytest.mark.parametrize(
    "auth",
    [None, ("analytics-user", "wrong"), ("Analytics-User", ACCESS[1]), ("", "")],
    ids=["none", "password", "case", "empty"],
)
def test_wrong_credentials_return_401_on_every_route(
    client: Client, auth: tuple[str, str] | None
) -> None:
    job = client.done("response")
    targets = [
        ("POST", path_of("response")),
        ("GET", f"{BASE}/teams"),
        ("GET", f"{BASE}/config/timezones"),
        ("GET", f"{BASE}/reports/report/{job['workflowId']}/x/status"),
    ]
    for method, target in targets:
        response = client.request(method, target, params=KEY, auth=auth)
        assert response.status_code == 401
        assert response.json() == {**FAIL, "message": "Bad credentials"}


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Bearer x", "Basic YQ=="])
def test_a_header_that_is_not_basic_returns_401(client: Client, header: str) -> None:
    headers = {"Authorization": header}
    response = client.request("GET", f"{BASE}/teams", params=KEY, headers=headers, auth=None)
    assert response.status_code == 401


@pytest.mark.parametrize(
    "key", [{}, {"companyKey": "Demo-Company"}, {"companykey": "demo-company"}]
)
def test_a_wrong_company_key_returns_403_on_every_route(
    client: Client, key: dict[str, str]
) -> None:
    job = client.done("response")
    ids = job["statusUrl"].split("/report/")[1].split("/status")[0]
    for target in (f"{BASE}/teams", f"{BASE}/config/timezones"):
        assert client.request("GET", target, params=key).status_code == 403
    for what in ("status", "download"):
        response = client.request("GET", f"{BASE}/reports/report/{ids}/{what}", params=key)
        assert response.status_code == 403
    created = client.request("POST", path_of("response"), params={**WINDOW, **key})
    assert created.status_code == 403


def test_a_token_of_a_job_is_valid_for_that_job_only(client: Client) -> None:
    first, second = client.done("response"), client.done("author")
    state = client.job(first, "status").json()["result"]
    own = state["jobInfo"]["statusUrl"].removeprefix(client.at.api)
    assert "companyKey" not in own
    assert client.request("GET", own).status_code == 200
    assert client.request("GET", own, auth=None).status_code == 401
    path, token = own.split("?")
    other = second["statusUrl"].removeprefix(client.at.api).split("?")[0]
    assert client.request("GET", f"{other}?{token}").status_code == 403
    assert client.request("GET", f"{path}?analyticsAccessToken=").status_code == 403


@pytest.mark.parametrize("export", EXPORTS)
def test_exports_accept_the_documented_methods(client: Client, export: str) -> None:
    response = client.request("GET", path_of(export), params={**KEY, **WINDOW})
    takes_get = export in {"conversation_actions", "user", "raw_brand_posts"}
    assert response.status_code == (200 if takes_get else 405)
    assert client.create(export).status_code == 200
    for method in ("PUT", "DELETE"):
        assert client.request(method, path_of(export), params=KEY).status_code == 405


@pytest.mark.parametrize("status", [404, 405, 415])
def test_the_status_for_a_wrong_method_is_configurable(serve: Serve, status: int) -> None:
    client = serve(wrong_method_status=status, methods={"user": ["POST"]})
    for export in ("response", "user"):
        response = client.request("GET", path_of(export), params={**KEY, **WINDOW})
        assert response.status_code == status


@pytest.mark.parametrize("export", EXPORTS)
def test_every_export_can_accept_get(serve: Serve, export: str) -> None:
    client = serve(lenient_methods=True)
    more = {"timeInterval": "3600000"} if export.endswith("_interval") else {}
    response = client.request("GET", path_of(export), params={**KEY, **WINDOW, **more})
    assert response.status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        "/api/public",
        "/api/public/reports/jobs",
        "/api/public/reports/report/",
        "/api/public/reports/report/report/conversation",
        "/api/public/reports/report/Conversation",
        "/api/public/reports/report/raw_brand_posts",
        "/api/public/reports/report/marketing/conversation",
        "/api/public/report/reports/w/r/status",
        "/api/public/reports/report/w/r/status",
        "/api/public/reports/report/w/r/cancel",
        "/reports/report/conversation",
    ],
)
def test_any_other_path_returns_404(client: Client, target: str) -> None:
    for method in ("GET", "POST"):
        assert client.request(method, target, params={**KEY, **WINDOW}).status_code == 404


def test_the_brand_posts_export_can_be_removed(serve: Serve) -> None:
    assert serve(has_brand_posts=False).create("raw_brand_posts").status_code == 404


def test_ids_must_be_encoded(client: Client) -> None:
    job = client.done("response")
    assert {"+", "/"} <= set(job["runId"])
    assert job["runId"].endswith("=")
    raw = f"{BASE}/reports/report/{job['workflowId']}/{job['runId']}/status"
    half = raw.replace(job["runId"], job["runId"].replace("/", "%2F"))
    assert client.request("GET", raw, params=KEY).status_code == 404
    assert client.request("GET", half, params=KEY).status_code == 404
    assert client.request("GET", half.replace("+", "%2B"), params=KEY).status_code == 200
    client.khoros.lenient_ids = True
    assert client.request("GET", half, params=KEY).status_code == 200
