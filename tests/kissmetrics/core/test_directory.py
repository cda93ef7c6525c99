"""With ``product_ids``, lists are found by the directory's template and the product's links."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault
from sandbox.kissmetrics import LinkRules, PageRules
from sandbox.kissmetrics.rules import FORMS
from tap_kissmetrics.core.directory import Product, product_template
from tap_kissmetrics.lists.envelope import Link
from tap_kit import quoted_path

from tests.kissmetrics.canned import Canned, records
from tests.kissmetrics.rows import comparable, expected_list, expected_rows
from tests.kissmetrics.site import CORE, days

if TYPE_CHECKING:
    import logging

    from sandbox.kissmetrics.rules import Form

    from tests.kissmetrics.conftest import Serve
    from tests.kissmetrics.site import Site

SCOPED = ("reports", "events", "properties", "metrics")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("host", [None, "https://apikissmetrics.com"])
def test_only_the_selected_products_and_their_lists_are_read(
    serve: Serve, form: Form, host: str | None
) -> None:
    sizes = {"events": 27, "properties": 24}  # two pages of each product
    site = serve(pages=PageRules(form=form), links=LinkRules(product_host=host), sizes=sizes)
    chosen = [site.api.data.ids("products")[2], site.api.data.ids("products")[0]]
    output = site.sync(*CORE, product_ids=[*chosen, chosen[0]], page_size=6)
    assert [row["id"] for row in output.rows("products")] == chosen
    for name in SCOPED:
        expected = [row for one in chosen for row in expected_list(site.api, name, one)]
        assert output.rows(name) == expected, name
    assert len(output.rows("accounts")) == 2
    assert not [target for target in site.requested() if site.api.data.ids("products")[1] in target]


def test_directory_and_products_are_requested_once(site: Site) -> None:
    site.sync(*CORE, product_ids=site.api.data.ids("products"), max_concurrency=8)
    counts = Counter(site.requested())
    assert max(counts.values()) == 1
    assert counts["/core"] == 1


def test_only_the_reports_of_the_selected_products_are_run(site: Site) -> None:
    product_id = site.api.data.ids("products")[1]
    output = site.sync("report_results", product_ids=[product_id])
    reports = site.api.data.runnable_reports(product_id)
    assert comparable(output.rows("report_results")) == expected_rows(site.api, days(), reports)


@pytest.mark.parametrize(
    "rules", [LinkRules(detail_rels=True), LinkRules()], ids=["detail", "plain"]
)
@pytest.mark.parametrize("escaped", [True, False])
def test_template_is_found_under_any_rel(serve: Serve, rules: LinkRules, *, escaped: bool) -> None:
    site = serve(links=rules, pages=PageRules(escaped_links=escaped))
    chosen = site.api.data.ids("products")[:1]
    assert [
        row["id"] for row in site.sync("products", product_ids=chosen).rows("products")
    ] == chosen


def test_missing_product_is_skipped_with_one_warning_for_all_streams(site: Site) -> None:
    gone, here = "00000000-dead", site.api.data.ids("products")[0]
    ended = site.execute(product_ids=[gone, here])
    assert ended.code == 0, ended.stderr
    assert ended.errors == []
    assert [row["id"] for row in ended.output.rows("products")] == [here]
    (warning,) = [text for text in ended.warnings if gone in text]
    assert warning.endswith(f"product_id {gone}: skipped: not found (HTTP 404)")
    assert {row["product_id"] for row in ended.output.rows("events")} == {here}


def test_forbidden_product_is_skipped_with_a_warning(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    site = serve()
    first, second, _ = site.api.data.ids("products")
    site.api.faults.append(Fault("status", status=403, path=f"/core/products/{first}"))
    output = site.sync(*CORE, product_ids=[first, second])
    assert {row["product_id"] for row in output.rows("events")} == {second}
    assert _logged(caplog, f", product_id {first}: skipped: the token has no access")


@pytest.mark.parametrize("rel", ["events", "product-events"])
@pytest.mark.parametrize("place", ["top", "data"])
def test_link_to_a_products_list_is_found_under_either_name_and_in_either_place(
    rel: str, place: str
) -> None:
    links = [{"rel": rel, "href": "https://apikissmetrics.com/core/somewhere/else?x=1"}]
    record: dict[str, Any] = {"id": "p1"}
    body = (
        {"data": record, "links": links} if place == "top" else {"data": {**record, "links": links}}
    )
    responses = {"/core": {}, "/core/products/p1": body, "/core/somewhere/else": records(3)}
    with Canned(responses) as server:
        assert len(server.sync("events", product_ids=["p1"]).rows("events")) == 3


def test_metrics_without_a_link_are_read_from_the_usual_path() -> None:
    links = [{"rel": "product-events", "href": "/core/products/p1/events"}]
    responses = {
        "/core": {"data": {"links": []}},
        "/core/products/p1": {"id": "p1", "links": links},
        "/core/products/p1/metrics": records(2),
    }
    with Canned(responses) as server:
        assert len(server.sync("metrics", product_ids=["p1"]).rows("metrics")) == 2


@pytest.mark.parametrize(
    ("href", "path"),
    [
        ("https://api.kissmetrics.com/core/products/{product_id}", "/core/products/a%2Fb"),
        ("https://api.kissmetrics.com/v9/products/{product_id}", "/v9/products/a%2Fb"),
        ("https://api.kissmetrics.com/core/products/{+product_id}", "/core/products/a%2Fb"),
        ("https://api.kissmetrics.com/core/products/{product_id}/events", "/core/products/a%2Fb"),
        ("https://api.kissmetrics.com/core/accounts/{account_id}", "/core/products/a%2Fb"),
        ("https://api.kissmetrics.com/core/products/{product_id}{?limit}", "/core/products/a%2Fb"),
    ],
)
def test_id_becomes_one_segment_of_the_template(href: str, path: str) -> None:
    link = {"href": href, "templated": True, "rel": "product"}
    expanded = quoted_path(product_template({"data": {"links": [link]}}), "a/b")
    assert expanded.removeprefix("https://api.kissmetrics.com") == path


@pytest.mark.parametrize(
    "directory",
    [{}, {"data": None}, {"data": {"links": None}, "links": None}, {"links": [{"rel": "self"}]}],
    ids=str,
)
def test_directory_without_a_template_yields_the_usual_path(directory: dict[str, Any]) -> None:
    assert product_template(directory) == "/core/products/{}"


def test_templated_and_incomplete_links_of_a_product_are_not_used() -> None:
    links = [Link(rel="events", href="/core/x{?limit}", templated=True), Link()]
    assert Product.of({"id": "p1"}, links).list_href("events") is None


def _logged(caplog: pytest.LogCaptureFixture, words: str) -> list[logging.LogRecord]:
    return [record for record in caplog.records if words in record.getMessage()]
