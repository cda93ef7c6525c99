"""The Core API: who gets in, the directory, the lists and what hangs together with what."""

from collections.abc import Callable

import pytest
from sandbox.kissmetrics import FieldRules, LinkRules, PageRules, Sizes
from sandbox.kissmetrics.rules import LIST_NAMES, ListName

from tests.sandbox.kissmetrics.asking import Asker, links_of, without_links

Serve = Callable[..., Asker]
NOT_FOUND = {"meta": {"status": 404, "message": "not found", "errors": ["not_found"]}}
NOBODY = "00000000-a002-0131-ead3-000000000001"
UNLIKELY = ["not-an-id", NOBODY, "9e3779b1-a003-0131-ead3-000000000001", "ü"]


@pytest.mark.parametrize("path", ["", *(f"/{name}" for name in LIST_NAMES)])
def test_everything_takes_the_token_only(asker: Asker, path: str) -> None:
    assert asker.get(f"/core{path}").status_code == 200
    for header in ("Bearer wrong", "demo-token", "Basic demo-token", ""):
        refused = asker.ask("GET", f"/core{path}", headers={"Authorization": header})
        assert refused.status_code == 401
        assert refused.json()["meta"]["status"] == 401


@pytest.mark.parametrize("name", LIST_NAMES)
def test_lists_are_complete_and_details_are_the_same(asker: Asker, name: ListName) -> None:
    expected = asker.api.data.records(name)
    assert asker.records(f"/core/{name}") == expected
    assert asker.records(f"/core/{name}", limit=7) == expected
    for record in expected[:3]:
        assert without_links(asker.get(f"/core/{name}/{record['id']}").json()["data"]) == record


@pytest.mark.parametrize("name", ["reports", "events", "properties", "metrics"])
def test_products_have_lists_of_their_own(asker: Asker, name: ListName) -> None:
    read = []
    for product in asker.get("/core/products").json()["data"]:
        own = asker.records(links_of(product)[name], limit=4)
        assert own == asker.api.data.records(name, product["id"])
        assert {one["product_id"] for one in own} == {product["id"]}
        read += own
    assert sorted(one["id"] for one in read) == sorted(asker.api.data.ids(name))


def test_accounts_have_products_which_are_linked_otherwise(asker: Asker) -> None:
    read = []
    for account in asker.get("/core/accounts").json()["data"]:
        url = links_of(account)["products"]
        for product in asker.get(url).json()["data"]:
            assert product["account_id"] == account["id"]
            links = links_of(product)
            assert set(links) == {"self", "account"} | {
                f"product-{name}" for name in ("reports", "events", "properties")
            }
            expected = asker.api.data.records("events", product["id"])
            assert asker.records(links["product-events"]) == expected
            read.append(product["id"])
    assert sorted(read) == sorted(asker.api.data.ids("products"))


def test_links_of_an_accounts_list_are_odd_in_the_ways_that_were_seen(asker: Asker) -> None:
    account_id = asker.api.data.ids("accounts")[0]
    body = asker.get(f"/core/accounts/{account_id}/products", limit=1).json()
    links = links_of(body)
    assert links["self"].endswith("/products")
    assert f"?account_id={account_id}&limit=1&offset=1" in links["next"]
    assert "Canoncial" in [one["name"] for one in body["links"]]


def test_directory_has_templates_for_what_is_below_the_lists(asker: Asker) -> None:
    body = asker.get("/core").json()
    assert links_of(body) == {"self": f"{asker.at.core}/core"}
    data = body["data"]
    assert data["name"] == "KISSmetrics API"
    assert set(links_of(data)) == {"self", *LIST_NAMES}
    templates = {one["rel"]: one["href"] for one in data["links"] if one["templated"]}
    product_id = asker.api.data.ids("products")[1]
    for rel in ("product", "product-reports", "product-events", "product-properties"):
        url = templates[rel].replace("{product_id}", product_id)
        assert asker.get(url).status_code == 200
    event_id = asker.api.data.ids("events")[1]
    url = templates["event-detail"].replace("{event_id}", event_id)
    assert asker.get(url).json()["data"]["id"] == event_id


def test_templates_may_all_be_called_details(serve: Serve) -> None:
    body = serve(links=LinkRules(detail_rels=True)).get("/core").json()
    rels = {one["rel"] for one in body["data"]["links"]}
    assert {"account-detail", "product-detail", "report-detail", "event-detail"} <= rels
    assert "product" not in rels


def test_details_have_links_where_they_were_seen(asker: Asker) -> None:
    ids = asker.api.data.ids
    account = asker.get(f"/core/accounts/{ids('accounts')[0]}").json()
    product = asker.get(f"/core/products/{ids('products')[0]}").json()
    assert set(links_of(account["data"])) == {"self", "products"}
    assert product["data"]["links"] == []
    assert set(links_of(product)) >= {"self", "account", "reports", "metrics", "events"}


@pytest.mark.parametrize("record_id", UNLIKELY)
@pytest.mark.parametrize("path", ["products/{}", "products/{}/events", "accounts/{}/products"])
def test_unknown_ids_are_not_found(asker: Asker, path: str, record_id: str) -> None:
    answer = asker.get(f"/core/{path.format(record_id)}")
    assert (answer.status_code, answer.json()) == (404, NOT_FOUND)
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "Link" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/core/nothing"), ("GET", "/"), ("POST", "/core/events"), ("GET", "/v2/queries/x")],
)
def test_unknown_routes_are_not_found(asker: Asker, method: str, path: str) -> None:
    assert asker.ask(method, path).status_code == 404


@pytest.mark.parametrize("query", ["limit=x", "limit=0", "limit=-1", "offset=1.5", "offset="])
def test_limit_and_offset_are_whole_numbers(asker: Asker, query: str) -> None:
    answer = asker.get(f"/core/events?{query}")
    assert answer.status_code == 400
    assert answer.json()["meta"]["errors"] == ["invalid_parameter"]
    assert answer.json()["meta"]["message"].startswith(f":{query.partition('=')[0]} must be")


def test_only_json_is_served(asker: Asker) -> None:
    assert asker.ask("GET", "/core", headers={"Accept": "text/html"}).status_code == 406


def test_plain_http_may_be_sent_away(serve: Serve) -> None:
    asker = serve(requires_https=True)
    answer = asker.get("/core/events?limit=3")
    assert answer.status_code == 301
    assert answer.headers["Location"] == f"https{asker.at.core[4:]}/core/events?limit=3"
    proxied = {"X-Forwarded-Proto": "https"}
    assert asker.ask("GET", "/core", headers=proxied).status_code == 200


def test_records_hold_nulls_and_both_spellings_of_time(asker: Asker) -> None:
    account, other = asker.records("/core/accounts")
    assert account["contact"] == {"name": None, "country": None, "phone": None}
    assert other["status"] == "canceled"
    assert account["created_at"].endswith("Z")
    products = asker.records("/core/products")
    assert [one["timezone"] for one in products] == ["US/Pacific", "UTC", "Europe/Berlin"]
    assert products[0]["created_at"].endswith("+00:00")
    assert products[0]["environment"] == ""
    assert products[2]["url"] is None
    assert {one["type"] for one in asker.records("/core/properties")} == {
        *(None, "automatic", "text", "number")
    }
    assert any(one["last_used_at"] is None for one in asker.records("/core/events"))


def test_fields_beyond_the_documents_are_switched(serve: Serve) -> None:
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


def test_index_counts_within_a_product(asker: Asker) -> None:
    for product_id in asker.api.data.ids("products"):
        events = asker.api.data.records("events", product_id)
        assert [one["index"] for one in events] == list(range(1, len(events) + 1))


def test_links_of_products_and_runs_may_be_foreign(serve: Serve) -> None:
    rules = LinkRules(
        product_host="https://apikissmetrics.com", run_host="https://q.example", run_links="both"
    )
    asker = serve(links=rules)
    product = asker.get("/core/products").json()["data"][0]
    assert all(url.startswith("https://apikissmetrics.com/") for url in links_of(product).values())
    report = asker.get("/core/reports").json()["data"][0]
    assert links_of(report)["run_v2"].startswith("https://q.example/v2/products/")
    assert links_of(report)["run"].startswith(f"{asker.at.core}/query/reports/")
    asker.api.links = LinkRules(run_links="none")
    assert set(links_of(asker.get("/core/reports").json()["data"][0])) == {
        *("self", "product", "account")
    }


def test_links_name_the_address_that_the_client_uses(asker: Asker) -> None:
    asker.api.core_url = asker.api.query_url = None
    asker.get(f"{asker.at.query.replace('127.0.0.1', 'localhost')}/v2/queries/none/status")
    url = asker.at.core.replace("127.0.0.1", "localhost")
    report = asker.get(f"{url}/core/reports").json()["data"][0]
    assert links_of(report)["self"].startswith(f"{url}/core/reports/")
    assert links_of(report)["run_v2"].startswith("http://localhost:")


def test_a_deleted_report_is_gone(asker: Asker) -> None:
    gone = asker.api.data.ids("reports")[3]
    asker.api.delete_report(gone)
    assert gone not in [one["id"] for one in asker.records("/core/reports", limit=3)]
    assert asker.get(f"/core/reports/{gone}").status_code == 404
    assert len(asker.api.data.records("reports")) == 7
    with pytest.raises(KeyError):
        asker.api.delete_report("never-there")


def test_a_large_list_costs_no_more_than_its_pages(serve: Serve) -> None:
    asker = serve(sizes=Sizes(events=1_000_000))
    body = asker.get("/core/events", limit=1000, offset=999_500).json()
    assert [one["id"] for one in body["data"]] == asker.api.data.ids("events")[-500:]
    assert asker.get("/core/events", offset=2_000_000).json()["data"] == []


def test_bare_details_are_as_documented(serve: Serve) -> None:
    asker = serve(pages=PageRules(form="bare"))
    for name in LIST_NAMES:
        expected = asker.api.data.records(name)[0]
        record = asker.get(f"/core/{name}/{expected['id']}").json()
        assert without_links(record) == expected
        assert bool(record["links"]) == (name == "accounts")


def test_the_log_has_both_servers(asker: Asker) -> None:
    asker.get("/core/accounts")
    asker.get(f"{asker.at.query}/v2/queries/none/status")
    assert [one.path for one in asker.api.log.requests] == [
        *("/core/accounts", "/v2/queries/none/status")
    ]
