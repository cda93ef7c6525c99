"""The log: requests in order of arrival, and the number in flight."""

import json
from concurrent.futures import ThreadPoolExecutor

from sandbox.kindmetrics import Kindmetrics
from sandbox.server import running

from .client import Client


def test_requests_are_logged_in_order_with_their_parts(api: Kindmetrics, client: Client) -> None:
    client.get("/api/me")
    client.get("/api/domains/1/pages?from=2026-11-01&site_path=%2Fa+b&site_path=")
    first, second = api.log.requests
    assert (first.ordinal, first.method, first.path, first.status) == (1, "GET", "/api/me", 200)
    assert second.query == (("from", "2026-11-01"), ("site_path", "/a b"), ("site_path", ""))
    assert second.headers["authorization"] == "Bearer demo-token"
    assert second.headers["user-agent"].startswith("python-requests/")
    assert second.ended is not None
    assert first.started <= second.started <= second.ended


def test_requests_of_different_connections_have_different_clients(
    api: Kindmetrics, client: Client
) -> None:
    client.get("/api/me")
    client.get("/api/me")
    client.raw("/api/me")
    first, second, third = (request.client for request in api.log.requests)
    assert first == second != third


def test_the_maximum_in_flight_is_counted(api: Kindmetrics, client: Client) -> None:
    api.app.latency_ms = 200
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(client.raw, ["/api/me"] * 5))
    assert api.log.max_in_flight == 5
    assert api.log.in_flight == 0
    api.log.clear()
    client.get("/api/me")
    assert (api.log.count, api.log.max_in_flight) == (1, 1)


def test_latency_delays_every_response(api: Kindmetrics, client: Client) -> None:
    api.app.latency_ms = 50
    client.get("/api/me")
    (request,) = api.log.requests
    assert request.ended is not None
    assert request.ended - request.started >= 0.05


def test_a_limited_log_keeps_the_latest_requests() -> None:
    api = Kindmetrics(keep_requests=2)
    with running(api.app) as server, Client(server) as client:
        for page in "abc":
            client.get(f"/{page}")
    assert [request.path for request in api.log.requests] == ["/b", "/c"]
    assert api.log.count == 3


def test_log_and_faults_are_controlled_over_http(api: Kindmetrics, client: Client) -> None:
    client.get("/api/me?a=1")
    seen = client.get("/_sandbox/requests").json()
    assert seen == {
        "count": 1,
        "in_flight": 0,
        "max_in_flight": 1,
        "requests": [["GET", "/api/me?a=1"]],
    }
    assert client.request("POST", "/_sandbox/faults", json=["500 path=me"]).json() == {"faults": 1}
    assert client.get("/api/me").status_code == 500
    assert client.request("POST", "/_sandbox/faults", json=[]).json() == {"faults": 0}
    assert client.request("DELETE", "/_sandbox/requests").json()["count"] == 0
    assert api.log.requests == []


def test_invalid_control_requests_return_a_message(api: Kindmetrics, client: Client) -> None:
    for body in (json.dumps({}), json.dumps(["nonsense"]), "no json"):
        response = client.request("POST", "/_sandbox/faults", data=body)
        assert response.status_code == 400
        assert response.json()["message"]
    assert client.get("/_sandbox/nothing").status_code == 404
    assert len(api.faults) == 0
