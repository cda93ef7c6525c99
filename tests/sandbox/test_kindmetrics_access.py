"""Access, routes, and error responses."""

import pytest
from sandbox.kindmetrics import Kindmetrics
from sandbox.server import running

from .client import BEARER, Client

ROUTES = [
    "/api/me",
    "/api/domains",
    "/api/domains/1",
    "/api/domains/1/pages",
    "/api/domains/1/entry_pages",
    "/api/domains/1/sources",
    "/api/domains/1/Referrers",
    "/api/domains/1/countries",
    "/api/domains/1/current",
    "/api/domains/1/goals",
]
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def get(api: Kindmetrics, target: str, **headers: str) -> tuple[int, object]:
    with running(api.app) as server, Client(server) as client:
        response = client.get(target, {**BEARER, **headers})
        return response.status_code, response.json()


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_returns_json_and_requires_the_token(client: Client, route: str) -> None:
    response = client.get(route)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    refused = client.get(route, {})
    assert refused.status_code == 401
    assert refused.json() == {"message": "Not authenticated.", "param": None, "details": None}
    assert client.request("PUT", route).status_code == 405


@pytest.mark.parametrize(
    ("header", "query", "status"),
    [
        ("Bearer demo-token", "", 200),
        ("demo-token", "", 200),
        (None, "?token=demo-token", 200),
        ("Bearer wrong", "", 401),
        ("Bearer wrong", "?token=demo-token", 401),
        ("Basic demo-token", "", 401),
        ("Bearer", "", 401),
        (None, "?token=wrong", 401),
    ],
)
def test_the_token_is_in_the_header_or_in_the_query(
    client: Client, header: str | None, query: str, status: int
) -> None:
    headers = {"Authorization": header} if header else {}
    assert client.get(f"/api/me{query}", headers).status_code == status


@pytest.mark.parametrize(
    "route",
    ["/", "/api", "/api/nothing", "/api/domains/9", "/api/domains/x", "/api/domains/1/nothing"],
)
def test_unknown_routes_and_domains_return_404(client: Client, route: str) -> None:
    response = client.get(route)
    assert response.status_code == 404
    assert response.json() == {"message": "Not Found", "param": None, "details": None}


@pytest.mark.parametrize(
    ("accept", "status", "kind"),
    [
        ("application/json", 401, "application/json"),
        ("text/html", 406, "text/html; charset=utf-8"),
        ("application/xml", 406, "application/json"),
        (BROWSER, 401, "text/html; charset=utf-8"),
    ],
)
def test_errors_are_json_or_html_depending_on_the_client(
    client: Client, accept: str, status: int, kind: str
) -> None:
    response = client.get("/api/me", {"Accept": accept})
    assert (response.status_code, response.headers["Content-Type"]) == (status, kind)


def test_a_browser_with_a_token_gets_json(client: Client) -> None:
    response = client.get("/api/domains", {**BEARER, "Accept": BROWSER})
    assert response.json()[0] == {"id": 1, "address": "shop.example"}


def test_the_referrers_route_is_case_sensitive() -> None:
    server, documented = Kindmetrics(), Kindmetrics(referrers_route="documented")
    assert get(server, "/api/domains/1/Referrers")[0] == 200
    assert get(server, "/api/domains/1/referrers")[0] == 404
    assert get(documented, "/api/domains/1/Referrers")[0] == 404
    assert get(documented, "/api/domains/1/referrers")[0] == 200


def test_me_can_be_missing() -> None:
    assert get(Kindmetrics(), "/api/me") == (200, {"email": "demo@kindmetrics.example"})
    assert get(Kindmetrics(has_me=False), "/api/me")[0] == 404


def test_domains_with_an_ended_plan_return_403_and_are_listed() -> None:
    api = Kindmetrics(ended_domains={2})
    body = {
        "message": "Forbidden",
        "param": None,
        "details": "Probably no working subscription",
    }
    assert get(api, "/api/domains/2/pages") == (403, body)
    assert get(api, "/api/domains/1/pages")[0] == 200
    assert len(api.data.domains) == 4
    ended = Kindmetrics(ended_account=True)
    assert get(ended, "/api/domains/1") == (403, body)
    assert get(ended, "/api/domains")[0] == 200


def test_creating_a_domain_is_counted(api: Kindmetrics, client: Client) -> None:
    assert client.request("POST", "/api/domains", headers={}).status_code == 401
    assert api.creations == 0
    assert client.request("POST", "/api/domains", json={"domain": {}}).status_code == 200
    assert api.creations == 1


@pytest.mark.parametrize(
    ("host", "location"),
    [
        ("app.example:{port}", None),
        ("www.app.example:{port}", "http://app.example:{port}/api/me?a=1"),
        ("www.app.example", "http://app.example/api/me?a=1"),
        ("other.example:{port}", "http://app.example:{port}/"),
    ],
)
def test_unknown_hosts_are_redirected_to_a_known_one(host: str, location: str | None) -> None:
    api = Kindmetrics(known_hosts={"app.example"})
    with running(api.app) as server, Client(server) as client:
        response = client.get("/api/me?a=1", {**BEARER, "Host": host.format(port=server.port)})
        expected = location and location.format(port=server.port)
        assert response.status_code == (301 if location else 200)
        assert response.headers.get("Location") == expected
