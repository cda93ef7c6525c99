"""The Core API: access, the directory, the lists, and their links."""

import pytest
from sandbox.kissmetrics import FieldRules, LinkRules, PageRules, Sizes
from sandbox.kissmetrics.rules import LIST_NAMES, ListName

from tests.sandbox.kissmetrics.client import Client, Serve, links_of, without_links

NOT_FOUND = {"meta": {"status": 404, "message": "not found", "errors": ["not_found"]}}
UNKNOWN_ID = "00000000-a002-0131-ead3-000000000001"
UNKNOWN_IDS = ["not-an-id", UNKNOWN_ID, "9e3779b1-a003-0131-ead3-000000000001", "ü"]


@pytest.mark.parametrize("path", ["", *(f"/{name}" for name in LIST_NAMES)])
def test_every_route_requires_the_token(client: Client, path: str) -> None:
    assert client.get(f"/core{path}").status_code == 200
    for header in ("Bearer wrong", "demo-token", "Basic demo-token", ""):
        refused = client.request("GET", f"/core{path}", headers={"Authorization": header})
        assert refused.status_code == 401
        assert refused.json()["meta"]["status"] == 401


@pytest.mark.parametrize("name", LIST_NAMES)
def test_lists_are_complete_and_details_are_equal(client: Client, name: ListName) -> None:
    expected = client.api.data.records(name)
    assert client.records(f"/core/{name}") == expected
    assert client.records(f"/core/{name}", limit=7) == expected
    for record in expected[:3]:
        assert without_links(client.get(f"/core/{name}/{record['id']}").json()["data"]) == record


@pytest.mark.parametrize("name", ["reports", "events", "properties", "metrics"])
def test_products_have_their_own_lists(client: Client, name: ListName) -> None:
    read = []
    for product in client.get("/core/products").json()["data"]:
        own = client.records(links_of(product)[name], limit=4)
        assert own == client.api.data.records(name, product["id"])
        assert {one["product_id"] for one in own} == {product["id"]}
        read += own
    assert sorted(one["id"] for one in read) == sorted(client.api.data.ids(name))


def test_products_in_the_list_of_an_account_have_other_links(client: Client) -> None:
    read = []
    for account in client.get("/core/accounts").json()["data"]:
        url = links_of(account)["products"]
        for product in client.get(url).json()["data"]:
            assert product["account_id"] == account["id"]
            links = links_of(product)
            assert set(links) == {"self", "account"} | {
                f"product-{name}" for name in ("reports", "events", "properties")
            }
            expected = client.api.data.records("events", product["id"])
            assert client.records(links["product-events"]) == expected
            read.append(product["id"])
    assert sorted(read) == sorted(client.api.data.ids("products"))


def test_links_in_the_list_of_an_account_have_the_observed_oddities(client: Client) -> None:
    account_id = client.api.data.ids("accounts")[0]
    body = client.get(f"/core/accounts/{account_id}/products", limit=1).json()
    links = links_of(body)
    assert links["self"].endswith("/products")
    assert f"?account_id={account_id}&limit=1&offset=1" in links["next"]
    assert "Canoncial" in [one["name"] for one in body["links"]]


def test_the_directory_has_templates_for_details_and_scoped_lists(client: Client) -> None:
    body = client.get("/core").json()
    assert links_of(body) == {"self": f"{client.at.core}/core"}
    data = body["data"]
    assert data["name"] == "KISSmetrics API"
    assert set(links_of(data)) == {"self", *LIST_NAMES}
    templates = {one["rel"]: one["href"] for one in data["links"] if one["templated"]}
    product_id = client.api.data.ids("products")[1]
    for rel in ("product", "product-reports", "product-events", "product-properties"):
        url = templates[rel].replace("{product_id}", product_id)
        assert client.get(url).status_code == 200
    event_id = client.api.data.ids("events")[1]
    url = templates["event-detail"].replace("{event_id}", event_id)
    assert client.get(url).json()["data"]["id"] == event_id


def test_all_detail_templates_can_have_detail_rels(serve: Serve) -> None:
    body = serve(links=LinkRules(detail_rels=True)).get("/core").json()
    rels = {one["rel"] for one in body["data"]["links"]}
    assert {"account-detail", "product-detail", "report-detail", "event-detail"} <= rels
    assert "product" not in rels


def test_details_have_links_where_observed(client: Client) -> None:
    ids = client.api.data.ids
    account = client.get(f"/core/accounts/{ids('accounts')[0]}").json()
    product = client.get(f"/core/products/{ids('products')[0]}").json()
    assert set(links_of(account["data"])) == {"self", "products"}
    assert product["data"]["links"] == []
    assert set(links_of(product)) >= {"self", "account", "reports", "metrics", "events"}


@pytest.mark.parametrize("record_id", UNKNOWN_IDS)
@pytest.mark.parametrize("path", ["products/{}", "products/{}/events", "accounts/{}/products"])
def test_unknown_ids_return_404(client: Client, path: str, record_id: str) -> None:
    response = client.get(f"/core/{path.format(record_id)}")
    assert (response.status_code, response.json()) == (404, NOT_FOUND)
    assert response.headers["Cache-Control"] == "no-cache"
    assert "Link" not in response.headers


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/core/nothing"), ("GET", "/"), ("POST", "/core/events"), ("GET", "/v2/queries/x")],
)
def test_unknown_routes_return_404(client: Client, method: str, path: str) -> None:
    assert client.request(method, path).status_code == 404


@pytest.mark.parametrize("query", ["limit=x", "limit=0", "limit=-1", "offset=1.5", "offset="])
def test_limit_and_offset_must_be_whole_numbers(client: Client, query: str) -> None:
    response = client.get(f"/core/events?{query}")
    assert response.status_code == 400
    assert response.json()["meta"]["errors"] == ["invalid_parameter"]
    assert response.json()["meta"]["message"].startswith(f":{query.partition('=')[0]} must be")


def test_a_client_that_does_not_accept_json_gets_406(client: Client) -> None:
    assert client.request("GET", "/core", headers={"Accept": "text/html"}).status_code == 406


def test_plain_http_can_be_redirected_to_https(serve: Serve) -> None:
    client = serve(requires_https=True)
    response = client.get("/core/events?limit=3")
    assert response.status_code == 301
    assert response.headers["Location"] == f"https{client.at.core[4:]}/core/events?limit=3"
    proxied = {"X-Forwarded-Proto": "https"}
    assert client.request("GET", "/core", headers=proxied).status_code == 200


def test_records_have_nulls_and_both_time_formats(client: Client) -> None:
    account, other = client.records("/core/accounts")
    assert account["contact"] == {"name": None, "country": None, "phone": None}
    assert other["status"] == "canceled"
    assert account["created_at"].endswith("Z")
    products = client.records("/core/products")
    assert [one["timezone"] for one in products] == ["US/Pacific", "UTC", "Europe/Berlin"]
    assert products[0]["created_at"].endswith("+00:00")
    assert products[0]["environment"] == ""
    assert products[2]["url"] is None
    assert {one["type"] for one in client.records("/core/properties")} == {
        *(None, "automatic", "text", "number")
    }
    assert any(one["last_used_at"] is None for one in client.records("/core/events"))


def test_undocumented_fields_are_configurable(serve: Serve) -> None:
    seen = serve(fields=FieldRules(text_totals=True, extra_field=True))
    product = seen.records("/core/products")[0]
    assert len(product["tracking_key"]) == 40
    assert product["hosts"] == []
    assert product["added_later"]["number"] == 1
    events = seen.records("/core/events")
    assert {type(one["total"]) for one in events} == {int, str}
    assert events == seen.api.data.records("events")
    bare = serve(fields=FieldRules(undocumented=False))
    assert "tracking_key" not in bare.records("/core/products")[0]
    assert "index" not in bare.records("/core/events")[0]


def test_index_counts_within_a_product(client: Client) -> None:
    for product_id in client.api.data.ids("products"):
        events = client.api.data.records("events", product_id)
        assert [one["index"] for one in events] == list(range(1, len(events) + 1))


def test_links_of_products_and_runs_can_have_foreign_hosts(serve: Serve) -> None:
    rules = LinkRules(
        product_host="https://apikissmetrics.com", run_host="https://q.example", run_links="both"
    )
    client = serve(links=rules)
    product = client.get("/core/products").json()["data"][0]
    assert all(url.startswith("https://apikissmetrics.com/") for url in links_of(product).values())
    report = client.get("/core/reports").json()["data"][0]
    assert links_of(report)["run_v2"].startswith("https://q.example/v2/products/")
    assert links_of(report)["run"].startswith(f"{client.at.core}/query/reports/")
    client.api.links = LinkRules(run_links="none")
    assert set(links_of(client.get("/core/reports").json()["data"][0])) == {
        *("self", "product", "account")
    }


def test_links_have_the_address_that_the_client_uses(client: Client) -> None:
    client.api.core_url = client.api.query_url = None
    client.get(f"{client.at.query.replace('127.0.0.1', 'localhost')}/v2/queries/none/status")
    url = client.at.core.replace("127.0.0.1", "localhost")
    report = client.get(f"{url}/core/reports").json()["data"][0]
    assert links_of(report)["self"].startswith(f"{url}/core/reports/")
    assert links_of(report)["run_v2"].startswith("http://localhost:")


def test_a_deleted_report_returns_404(client: Client) -> None:
    gone = client.api.data.ids("reports")[3]
    client.api.delete_report(gone)
    assert gone not in [one["id"] for one in client.records("/core/reports", limit=3)]
    assert client.get(f"/core/reports/{gone}").status_code == 404
    assert len(client.api.data.records("reports")) == 7
    with pytest.raises(KeyError):
        client.api.delete_report("never-there")


def test_a_page_of_a_large_list_is_fast(serve: Serve) -> None:
    client = serve(sizes=Sizes(events=1_000_000))
    body = client.get("/core/events", limit=1000, offset=999_500).json()
    assert [one["id"] for one in body["data"]] == client.api.data.ids("events")[-500:]
    assert client.get("/core/events", offset=2_000_000).json()["data"] == []


def test_bare_details_are_as_documented(serve: Serve) -> None:
    client = serve(pages=PageRules(form="bare"))
    for name in LIST_NAMES:
        expected = client.api.data.records(name)[0]
        record = client.get(f"/core/{name}/{expected['id']}").json()
        assert without_links(record) == expected
        assert bool(record["links"]) == (name == "accounts")


def test_both_hosts_share_one_log(client: Client) -> None:
    client.get("/core/accounts")
    client.get(f"{client.at.query}/v2/queries/none/status")
    assert [one.path for one in client.api.log.requests] == [
        *("/core/accounts", "/v2/queries/none/status")
    ]
