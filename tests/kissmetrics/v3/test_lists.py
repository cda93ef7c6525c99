"""Lists of version 3 arrive whole, each record once, whatever the server calls and cuts them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault
from sandbox.kissmetrics import V3Rules

from tests.kissmetrics.v3.rows import expected_list
from tests.kissmetrics.v3.site import LISTS

if TYPE_CHECKING:
    from tests.kissmetrics.v3.conftest import ServeV3
    from tests.kissmetrics.v3.site import V3Site

KEYS = ["data", "named", "documented", "bare"]


@pytest.mark.parametrize("fields", ["both", "documented", "observed"])
@pytest.mark.parametrize("key", KEYS)
def test_every_list_arrives_with_every_field(serve_v3: ServeV3, key: Any, fields: Any) -> None:
    site = serve_v3(v3=V3Rules(key=key, fields=fields))
    output = site.sync(*LISTS, page_size=7)
    whole = {name: expected_list(site.api, name) for name in LISTS}
    for name in LISTS:
        sent = {key for record in site.api.v3_data.records(name, fields=fields) for key in record}
        names = sent | ({"is_visible"} if "visible" in sent else set())
        kept = [{k: v for k, v in row.items() if k in names} for row in whole[name]]
        assert output.rows(name) == kept
        assert kept


@pytest.mark.parametrize("cap", [4, 10, 10_000])
@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 25])
def test_any_number_of_records_in_pages_of_ten(serve_v3: ServeV3, count: int, cap: int) -> None:
    """With a cap of four the server silently gives less than it is asked for."""
    site = serve_v3(v3=V3Rules(max_limit=cap), sizes={"products": 1, "events": count})
    output = site.sync("events", page_size=10)
    assert output.rows("events") == expected_list(site.api, "events")
    pages = [one.target for one in site.requests("GET", "/events")]
    assert len(set(pages)) == len(pages)
    # A page that is shorter than an earlier one is the last; else only an empty one is.
    assert len(pages) - max(1, -(-count // min(cap, 10))) in {0, 1}


def test_a_short_page_ends_a_list_and_a_full_one_is_followed_by_an_empty_one(
    serve_v3: ServeV3,
) -> None:
    short = serve_v3(sizes={"products": 1, "events": 25})
    short.sync("events", page_size=10)
    assert [one.query for one in short.requests("GET", "/events")] == [
        (("limit", "10"), ("offset", str(offset))) for offset in (0, 10, 20)
    ]
    full = serve_v3(sizes={"products": 1, "events": 20})
    full.sync("events", page_size=10)
    assert [dict(one.query)["offset"] for one in full.requests("GET", "/events")] == [
        "0",
        "10",
        "20",
    ]


def test_a_server_that_gave_more_before_would_have_given_more(serve_v3: ServeV3) -> None:
    """Only the first lists are asked whether there is more: requests are few."""
    site = serve_v3(sizes={"products": 3, "events": 91, "properties": 60})
    site.sync("events", "properties", max_concurrency=1)
    asked = Counter(one.path.rpartition("/")[2] for one in site.requests("GET", "/products/"))
    assert asked == {"events": 3 + 1, "properties": 3}


def test_what_the_plan_needs_is_not_asked_for_again(v3: V3Site) -> None:
    v3.sync("products", "reports", "report_results")
    asked = Counter(one.target for one in v3.requests("GET", "/products"))
    assert set(asked.values()) == {1}


@pytest.mark.parametrize("as_text", [True, False])
def test_products_that_are_chosen_in_their_order(v3: V3Site, *, as_text: bool) -> None:
    chosen = [v3.ids("products")[2], v3.ids("products")[0]]
    settings: list[Any] = [str(one) for one in chosen] if as_text else list(chosen)
    output = v3.sync(*LISTS, product_ids=settings)
    assert {row["id"] for row in output.rows("products")} == set(chosen)
    for name in ("events", "reports"):
        expected = [row for one in chosen for row in v3.api.v3_data.records(name, one)]
        assert [row["id"] for row in output.rows(name)] == [row["id"] for row in expected]


def test_a_product_that_is_not_there_is_a_warning(v3: V3Site) -> None:
    here = v3.ids("products")[0]
    ended = v3.execute(product_ids=[here, 77])
    assert ended.code == 0
    assert ended.warnings == ["product 77 of the settings is left out: it is not listed"]
    assert {row["product_id"] for row in ended.output.rows("events")} == {here}


@pytest.mark.parametrize("status", [403, 404])
def test_a_list_that_is_refused_is_a_warning_and_the_others_go_on(
    v3: V3Site, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    refused = v3.ids("products")[1]
    path = f"/products/{refused}/(events|reports)"
    v3.api.faults.append(Fault("status", status=status, path=path))
    output = v3.sync("events", "reports", "report_results")
    for name in ("events", "reports"):
        expected = [r for r in expected_list(v3.api, name) if r["product_id"] != refused]
        assert output.rows(name) == expected
    told = [text for text in caplog.messages if str(refused) in text and "HTTP" in text]
    assert len([text for text in told if "skipped" in text]) == 2
    assert len([text for text in told if "reports of product" in text]) == 1


def test_a_page_that_comes_twice_is_an_error(v3: V3Site) -> None:
    """A server that ignores the offset would be read for ever."""
    stuck = V3Rules(max_limit=5)
    v3.api.v3 = stuck
    original = v3.api.v3_data.record
    v3.api.v3_data.record = (  # type: ignore[method-assign]
        lambda name, number, *, fields="both": original(name, 1 + number % 5, fields=fields)
    )
    _, error = v3.failing_sync(Exception, "events", page_size=5)
    assert "the server gave the same page twice" in str(error)


@pytest.mark.parametrize("included", [True, False])
def test_the_tracking_key_only_when_it_is_wanted(v3: V3Site, *, included: bool) -> None:
    output = v3.sync("products", include_tracking_key=included)
    assert output.rows("products") == expected_list(v3.api, "products", secret=included)
    assert ("tracking_key" in output.text) is included
