"""Version 3: Basic authentication, lists without a total, and the budget."""

import time
from typing import Any

import pytest
from sandbox.kissmetrics import RunRules, Sizes, V3Rules
from sandbox.kissmetrics.rules import ListName

from tests.sandbox.kissmetrics.client import V3_USER, Client, Serve, request_v3

DATES = {"first_used_at", "last_used_at", "first_sent_at", "last_sent_at"}


@pytest.mark.parametrize(
    ("user", "password", "status"),
    [
        (*V3_USER, 200),
        ("demo-key", "", 200),
        ("demo-key", "demo-password", 401),
        (V3_USER[0], "", 401),
        (V3_USER[0], "wrong", 401),
    ],
)
def test_a_user_or_an_api_key_has_access(
    client: Client, user: str, password: str, status: int
) -> None:
    url = f"{client.at.query}/v3/products"
    response = client.request("GET", url, auth=(user, password))
    assert response.status_code == status
    if status == 401:
        assert response.json() == {"status": 401, "messages": ["Unauthenticated."]}


@pytest.mark.parametrize("header", ["Bearer demo-token", "Basic", "Basic %%", "Basic 8J+YgA"])
def test_only_basic_authentication_is_accepted(client: Client, header: str) -> None:
    url = f"{client.at.query}/v3/products"
    assert client.request("GET", url, headers={"Authorization": header}).status_code == 401


def test_the_core_api_refuses_basic_authentication(client: Client) -> None:
    assert client.request("GET", "/core", auth=V3_USER).status_code == 401


@pytest.mark.parametrize("name", ["reports", "events", "properties"])
def test_lists_have_the_records_of_the_product(serve: Serve, name: ListName) -> None:
    client = serve(sizes=Sizes(reports=120, events=180, properties=150))
    products = request_v3(client, "GET", "/products")
    assert set(products) == {"data"}
    assert products["data"] == client.api.v3_data.records("products")
    for product in products["data"]:
        path = f"/products/{product['id']}/{name}"
        read = []
        for offset in (0, 50, 100):
            read += request_v3(client, "GET", path, params={"offset": offset})["data"]
        assert read == client.api.v3_data.records(name, product["id"])
        assert (
            request_v3(client, "GET", path, params={"offset": 3, "limit": 2})["data"] == read[3:5]
        )


@pytest.mark.parametrize(
    ("key", "names"),
    [("data", ["data"] * 2), ("named", ["events", "properties"]), ("documented", ["events"] * 2)],
)
def test_records_can_have_another_key(serve: Serve, key: Any, names: list[str]) -> None:
    client = serve(v3=V3Rules(key=key))
    lists = [
        request_v3(client, "GET", f"/products/1001/{name}") for name in ("events", "properties")
    ]
    assert [list(body) for body in lists] == [[name] for name in names]
    client.api.v3 = V3Rules(key="bare")
    assert request_v3(client, "GET", "/products/1001/events") == lists[0][names[0]]


def test_fields_are_the_documented_the_observed_or_both(serve: Serve) -> None:
    client = serve(v3=V3Rules(fields="documented"))
    event = request_v3(client, "GET", "/products/1001/events")["data"][0]
    assert set(event) == {"id", "product_id", "name", "visible", "total", *DATES}
    client.api.v3 = V3Rules(fields="observed")
    event = request_v3(client, "GET", "/products/1001/events")["data"][0]
    assert set(event) == {"id", "index", "name", "product_id", "property_indices", "visible"}
    client.api.v3 = V3Rules()
    assert set(request_v3(client, "GET", "/products/1001/events")["data"][0]) == {
        *("id", "index", "name", "product_id", "property_indices", "visible", "total"),
        *DATES,
    }
    assert "km_key" in request_v3(client, "GET", "/products")["data"][0]


def test_ids_correspond_to_the_uuids_of_the_same_records(client: Client) -> None:
    data = client.api.data
    for name in ("reports", "events"):
        uuids = data.ids(name)
        assert [data.v3_id(name, one) for one in uuids] == [
            one["id"] for one in client.api.v3_data.records(name)
        ]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/products/1/events"),
        ("GET", "/products/x/events"),
        ("GET", "/products/1001/metrics"),
        ("GET", "/queries/unknown"),
        ("DELETE", "/queries/unknown"),
        ("PUT", "/queries"),
    ],
)
def test_unknown_records_and_routes_return_404(client: Client, method: str, path: str) -> None:
    response = request_v3(client, method, path)
    assert response.status_code == 404
    assert response.json() == {"status": 404, "messages": ["Not found."]}


@pytest.mark.parametrize("query", ["limit=0", "offset=x"])
def test_limit_and_offset_must_be_whole_numbers(client: Client, query: str) -> None:
    assert request_v3(client, "GET", f"/products?{query}").status_code == 400


def test_a_limit_above_the_maximum_silently_returns_fewer_records(serve: Serve) -> None:
    client = serve(v3=V3Rules(max_limit=3), run_rules=RunRules(polls=0))
    assert (
        len(request_v3(client, "GET", "/products/1001/events", params={"limit": 50})["data"]) == 3
    )


def test_the_budget_covers_all_requests(serve: Serve) -> None:
    client = serve(v3=V3Rules(budget=3, budget_seconds=0.3))
    begun = time.monotonic()
    request_v3(client, "GET", "/products")
    request_v3(client, "POST", "/queries/metric", json={"metric_id": 1001})
    request_v3(client, "GET", "/queries/unknown")
    refused = request_v3(client, "GET", "/products")
    assert refused.status_code == 429
    assert refused.json()["status"] == 429
    assert "Retry-After" not in refused.headers
    assert client.api.over_budget == 1
    assert client.get("/core/events").status_code == 200
    time.sleep(max(0, begun + 0.31 - time.monotonic()) + 0.01)
    assert "data" in request_v3(client, "GET", "/products")


def test_a_429_can_have_retry_after(serve: Serve) -> None:
    client = serve(v3=V3Rules(budget=1, retry_after=True))
    request_v3(client, "GET", "/products")
    assert 59 <= int(request_v3(client, "GET", "/products").headers["Retry-After"]) <= 60
    client.api.v3 = V3Rules(budget=0, budget_seconds=7, retry_after=True)
    assert request_v3(client, "GET", "/products").headers["Retry-After"] == "7"
