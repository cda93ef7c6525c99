"""With ``product_ids`` the way leads through the directory's template and the product's links."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault
from sandbox.kissmetrics import LinkRules, PageRules
from sandbox.kissmetrics.rules import FORMS
from tap_kissmetrics.core.directory import Product, product_template

from tests.kissmetrics.canned import Answers, records
from tests.kissmetrics.lists.test_streams import expected_list
from tests.kissmetrics.rows import comparable, expected_rows
from tests.kissmetrics.site import CORE, days

if TYPE_CHECKING:
    import logging

    from sandbox.kissmetrics.rules import Form

    from tests.kissmetrics.conftest import Serve
    from tests.kissmetrics.site import Site

SCOPED = ("reports", "events", "properties", "metrics")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("host", [None, "https://apikissmetrics.com"])
def test_the_chosen_products_and_their_lists_only(
    serve: Serve, form: Form, host: str | None
) -> None:
    site = serve(pages=PageRules(form=form), links=LinkRules(product_host=host))
    chosen = [site.api.data.ids("products")[2], site.api.data.ids("products")[0]]
    output = site.sync(*CORE, product_ids=[*chosen, chosen[0]], page_size=6)
    assert [row["id"] for row in output.rows("products")] == chosen
    for name in SCOPED:
        expected = [row for one in chosen for row in expected_list(site.api, name, one)]
        assert output.rows(name) == expected, name
    assert len(output.rows("accounts")) == 2
    assert not [target for target in site.asked() if site.api.data.ids("products")[1] in target]


def test_directory_and_product_are_asked_for_once(site: Site) -> None:
    site.sync(*CORE, product_ids=site.api.data.ids("products"), max_concurrency=8)
    counts = Counter(site.asked())
    assert max(counts.values()) == 1
    assert counts["/core"] == 1


def test_the_reports_of_the_chosen_products_are_run(site: Site) -> None:
    product_id = site.api.data.ids("products")[1]
    output = site.sync("report_results", product_ids=[product_id])
    reports = site.api.data.runnable_reports(product_id)
    assert comparable(output.rows("report_results")) == expected_rows(site.api, days(), reports)


@pytest.mark.parametrize(
    "rules", [LinkRules(detail_rels=True), LinkRules()], ids=["detail", "plain"]
)
@pytest.mark.parametrize("escaped", [True, False])
def test_the_template_is_found_whatever_it_is_called(
    serve: Serve, rules: LinkRules, *, escaped: bool
) -> None:
    site = serve(links=rules, pages=PageRules(escaped_links=escaped))
    chosen = site.api.data.ids("products")[:1]
    assert [
        row["id"] for row in site.sync("products", product_ids=chosen).rows("products")
    ] == chosen


def test_a_product_that_is_gone_or_forbidden_is_a_warning_that_names_it(site: Site) -> None:
    gone, here = "00000000-dead", site.api.data.ids("products")[0]
    ended = site.execute(product_ids=[gone, here])
    assert ended.code == 0, ended.stderr
    assert ended.errors == []
    assert [row["id"] for row in ended.output.rows("products")] == [here]
    for name in ("products", *SCOPED):
        (told,) = [text for text in ended.warnings if text.startswith(f"{name}, product_id {gone}")]
        assert "not found (HTTP 404)" in told
    assert {row["product_id"] for row in ended.output.rows("events")} == {here}


def test_a_product_that_is_forbidden_is_left_out(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    site = serve()
    first, second, _ = site.api.data.ids("products")
    site.api.faults.append(Fault("status", status=403, path=f"/core/products/{first}"))
    output = site.sync(*CORE, product_ids=[first, second])
    assert {row["product_id"] for row in output.rows("events")} == {second}
    assert _told(caplog, f"products, product_id {first}: skipped: the token has no access")


@pytest.mark.parametrize("rel", ["events", "product-events"])
@pytest.mark.parametrize("place", ["top", "data"])
def test_a_products_list_goes_by_either_name_and_stands_in_either_place(
    rel: str, place: str
) -> None:
    links = [{"rel": rel, "href": "https://apikissmetrics.com/core/somewhere/else?x=1"}]
    record: dict[str, Any] = {"id": "p1"}
    body = (
        {"data": record, "links": links} if place == "top" else {"data": {**record, "links": links}}
    )
    answers = {"/core": {}, "/core/products/p1": body, "/core/somewhere/else": records(3)}
    with Answers(answers) as server:
        assert len(server.sync("events", product_ids=["p1"]).rows("events")) == 3


def test_a_product_without_a_link_to_its_metrics_has_them_where_others_have_theirs() -> None:
    links = [{"rel": "product-events", "href": "/core/products/p1/events"}]
    answers = {
        "/core": {"data": {"links": []}},
        "/core/products/p1": {"id": "p1", "links": links},
        "/core/products/p1/metrics": records(2),
    }
    with Answers(answers) as server:
        assert len(server.sync("metrics", product_ids=["p1"]).rows("metrics")) == 2


@pytest.mark.parametrize(
    ("href", "path"),
    [
        ("https://api.kissmetrics.com/core/products/{product_id}", "/core/products/a%2Fb"),
        ("https://api.kissmetrics.com/v9/products/{product_id}", "/v9/products/a%2Fb"),
        ("https://api.kissmetrics.com/core/products/{+product_id}", "/core/products/a/b"),
        ("https://api.kissmetrics.com/core/products/{product_id}/events", "/core/products/a%2Fb"),
        ("https://api.kissmetrics.com/core/accounts/{account_id}", "/core/products/a%2Fb"),
        ("https://api.kissmetrics.com/core/products/{product_id}{?limit}", "/core/products/a%2Fb"),
    ],
)
def test_templates_are_expanded_by_the_book(href: str, path: str) -> None:
    link = {"href": href, "templated": True, "rel": "product"}
    expanded = product_template({"data": {"links": [link]}}).expand(product_id="a/b")
    assert expanded.removeprefix("https://api.kissmetrics.com") == path


@pytest.mark.parametrize(
    "directory",
    [{}, {"data": None}, {"data": {"links": None}, "links": None}, {"links": [{"rel": "self"}]}],
    ids=str,
)
def test_a_directory_without_a_template_has_the_usual_one(directory: dict[str, Any]) -> None:
    assert product_template(directory).expand(product_id="p1") == "/core/products/p1"


def test_links_of_a_product_that_are_templates_or_unfinished_are_not_used() -> None:
    links = [{"rel": "events", "href": "/core/x{?limit}", "templated": True}, {"name": "Odd"}]
    assert Product.of(({"id": "p1"}, links)).list_href("events") == "/core/products/p1/events"


def _told(caplog: pytest.LogCaptureFixture, words: str) -> list[logging.LogRecord]:
    return [record for record in caplog.records if words in record.getMessage()]
