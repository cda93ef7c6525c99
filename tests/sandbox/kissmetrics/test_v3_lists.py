"""Version 3: Basic access, lists without a total, and the budget."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from sandbox.kissmetrics import RunRules, Sizes, V3Rules
from sandbox.kissmetrics.rules import ListName

from tests.sandbox.kissmetrics.asking import V3_USER, Asker, ask_v3

Serve = Callable[..., Asker]
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
def test_a_person_or_a_key_gets_in(asker: Asker, user: str, password: str, status: int) -> None:
    url = f"{asker.at.query}/v3/products"
    answer = asker.ask("GET", url, auth=(user, password))
    assert answer.status_code == status
    if status == 401:
        assert answer.json() == {"status": 401, "messages": ["Unauthenticated."]}


@pytest.mark.parametrize("header", ["Bearer demo-token", "Basic", "Basic %%", "Basic 8J+YgA"])
def test_nothing_but_basic_gets_in(asker: Asker, header: str) -> None:
    url = f"{asker.at.query}/v3/products"
    assert asker.ask("GET", url, headers={"Authorization": header}).status_code == 401


def test_basic_opens_nothing_else(asker: Asker) -> None:
    assert asker.ask("GET", "/core", auth=V3_USER).status_code == 401


@pytest.mark.parametrize("name", ["reports", "events", "properties"])
def test_lists_are_those_of_the_products(serve: Serve, name: ListName) -> None:
    asker = serve(sizes=Sizes(reports=120, events=180, properties=150))
    products = ask_v3(asker, "GET", "/products")
    assert set(products) == {"data"}
    assert products["data"] == asker.api.v3_data.records("products")
    for product in products["data"]:
        path = f"/products/{product['id']}/{name}"
        read = []
        for offset in (0, 50, 100):
            read += ask_v3(asker, "GET", path, params={"offset": offset})["data"]
        assert read == asker.api.v3_data.records(name, product["id"])
        assert ask_v3(asker, "GET", path, params={"offset": 3, "limit": 2})["data"] == read[3:5]


@pytest.mark.parametrize(
    ("key", "names"),
    [("data", ["data"] * 2), ("named", ["events", "properties"]), ("documented", ["events"] * 2)],
)
def test_records_may_stand_under_other_names(serve: Serve, key: Any, names: list[str]) -> None:
    asker = serve(v3=V3Rules(key=key))
    lists = [ask_v3(asker, "GET", f"/products/1001/{name}") for name in ("events", "properties")]
    assert [list(body) for body in lists] == [[name] for name in names]
    asker.api.v3 = V3Rules(key="bare")
    assert ask_v3(asker, "GET", "/products/1001/events") == lists[0][names[0]]


def test_fields_are_the_documented_the_observed_or_both(serve: Serve) -> None:
    asker = serve(v3=V3Rules(fields="documented"))
    event = ask_v3(asker, "GET", "/products/1001/events")["data"][0]
    assert set(event) == {"id", "product_id", "name", "visible", "total", *DATES}
    asker.api.v3 = V3Rules(fields="observed")
    event = ask_v3(asker, "GET", "/products/1001/events")["data"][0]
    assert set(event) == {"id", "index", "name", "product_id", "property_indices", "visible"}
    asker.api.v3 = V3Rules()
    assert set(ask_v3(asker, "GET", "/products/1001/events")["data"][0]) == {
        *("id", "index", "name", "product_id", "property_indices", "visible", "total"),
        *DATES,
    }
    assert "km_key" in ask_v3(asker, "GET", "/products")["data"][0]


def test_ids_are_those_of_the_same_records(asker: Asker) -> None:
    data = asker.api.data
    for name in ("reports", "events"):
        uuids = data.ids(name)
        assert [data.v3_id(name, one) for one in uuids] == [
            one["id"] for one in asker.api.v3_data.records(name)
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
def test_what_is_not_there_is_not_found(asker: Asker, method: str, path: str) -> None:
    answer = ask_v3(asker, method, path)
    assert answer.status_code == 404
    assert answer.json() == {"status": 404, "messages": ["Not found."]}


@pytest.mark.parametrize("query", ["limit=0", "offset=x"])
def test_limits_are_whole_numbers(asker: Asker, query: str) -> None:
    assert ask_v3(asker, "GET", f"/products?{query}").status_code == 400


def test_limits_above_the_highest_silently_give_less(serve: Serve) -> None:
    asker = serve(v3=V3Rules(max_limit=3), run_rules=RunRules(polls=0))
    assert len(ask_v3(asker, "GET", "/products/1001/events", params={"limit": 50})["data"]) == 3


def test_the_budget_holds_over_all_requests(serve: Serve) -> None:
    asker = serve(v3=V3Rules(budget=3, budget_seconds=0.3))
    begun = time.monotonic()
    ask_v3(asker, "GET", "/products")
    ask_v3(asker, "POST", "/queries/metric", json={"metric_id": 1001})
    ask_v3(asker, "GET", "/queries/unknown")
    refused = ask_v3(asker, "GET", "/products")
    assert refused.status_code == 429
    assert refused.json()["status"] == 429
    assert "Retry-After" not in refused.headers
    assert asker.api.over_budget == 1
    assert asker.get("/core/events").status_code == 200
    time.sleep(max(0, begun + 0.31 - time.monotonic()) + 0.01)
    assert "data" in ask_v3(asker, "GET", "/products")


def test_a_refusal_may_say_when_to_come_again(serve: Serve) -> None:
    asker = serve(v3=V3Rules(budget=1, retry_after=True))
    ask_v3(asker, "GET", "/products")
    assert 59 <= int(ask_v3(asker, "GET", "/products").headers["Retry-After"]) <= 60
    asker.api.v3 = V3Rules(budget=0, budget_seconds=7, retry_after=True)
    assert ask_v3(asker, "GET", "/products").headers["Retry-After"] == "7"
