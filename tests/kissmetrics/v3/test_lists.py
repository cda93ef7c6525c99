"""Lists of version 3 are written whole, each record once, under any name and in any pages."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault
from sandbox.kissmetrics import V3Rules
from singer_sdk.exceptions import ConfigValidationError

from tests.kissmetrics.v3.rows import expected_list
from tests.kissmetrics.v3.site import LISTS

if TYPE_CHECKING:
    from tests.kissmetrics.v3.conftest import ServeV3
    from tests.kissmetrics.v3.site import V3Site

KEYS = ["data", "named", "documented", "bare"]


@pytest.mark.parametrize("fields", ["both", "documented", "observed"])
@pytest.mark.parametrize("key", KEYS)
def test_every_list_is_written_with_every_field(serve_v3: ServeV3, key: Any, fields: Any) -> None:
    sizes = {"events": 27, "properties": 24}  # two pages of each product
    site = serve_v3(v3=V3Rules(key=key, fields=fields), sizes=sizes)
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
def test_any_number_of_records_is_read_in_pages_of_ten(
    serve_v3: ServeV3, count: int, cap: int
) -> None:
    """With a cap of four the server sends fewer records than requested without saying so."""
    site = serve_v3(v3=V3Rules(max_limit=cap), sizes={"products": 1, "events": count})
    output = site.sync("events", page_size=10)
    assert output.rows("events") == expected_list(site.api, "events")
    pages = [one.target for one in site.requests("GET", "/events")]
    assert len(set(pages)) == len(pages)
    # A page that is shorter than an earlier one is the last one; otherwise an empty one is.
    assert len(pages) - max(1, -(-count // min(cap, 10))) in {0, 1}


def test_short_page_ends_a_list_and_full_page_is_followed_by_an_empty_one(
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


def test_page_that_is_shorter_than_an_earlier_one_needs_no_further_request(
    serve_v3: ServeV3,
) -> None:
    """Only for the first lists the tap has to request one page more, to find their end."""
    site = serve_v3(sizes={"products": 3, "events": 91, "properties": 60})
    site.sync("events", "properties", max_concurrency=1)
    requested = Counter(one.path.rpartition("/")[2] for one in site.requests("GET", "/products/"))
    assert requested == {"events": 3 + 1, "properties": 3}


def test_lists_that_the_plan_needs_are_requested_once(v3: V3Site) -> None:
    v3.sync("products", "reports", "report_results", end_date="2024-02-01")
    requested = Counter(one.target for one in v3.requests("GET", "/products"))
    assert set(requested.values()) == {1}


@pytest.mark.parametrize("as_text", [True, False])
def test_selected_products_are_read_in_their_order(v3: V3Site, *, as_text: bool) -> None:
    chosen = [v3.ids("products")[2], v3.ids("products")[0]]
    settings: list[Any] = [str(one) for one in chosen] if as_text else list(chosen)
    output = v3.sync(*LISTS, product_ids=settings)
    assert {row["id"] for row in output.rows("products")} == set(chosen)
    for name in ("events", "reports"):
        expected = [row for one in chosen for row in v3.api.v3_data.records(name, one)]
        assert [row["id"] for row in output.rows(name)] == [row["id"] for row in expected]


def test_missing_product_is_skipped_with_a_warning(v3: V3Site) -> None:
    here = v3.ids("products")[0]
    ended = v3.execute(product_ids=[here, 77])
    assert ended.code == 0
    assert ended.warnings == ["Skipped product 77 of the settings: the API does not list it"]
    assert {row["product_id"] for row in ended.output.rows("events")} == {here}


@pytest.mark.parametrize("status", [403, 404])
def test_refused_list_is_skipped_with_a_warning_and_the_others_are_read(
    v3: V3Site, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    refused = v3.ids("products")[1]
    path = f"/products/{refused}/(events|reports)"
    v3.api.faults.append(Fault("status", status=status, path=path))
    output = v3.sync("events", "reports", "report_results", end_date="2024-02-01")
    for name in ("events", "reports"):
        expected = [r for r in expected_list(v3.api, name) if r["product_id"] != refused]
        assert output.rows(name) == expected
    warnings = [text for text in caplog.messages if str(refused) in text and "HTTP" in text]
    assert len([text for text in warnings if "skipped" in text]) == 1, "one, not one per stream"
    assert len([text for text in warnings if "reports of product" in text]) == 1


def test_same_page_twice_fails_the_sync(v3: V3Site) -> None:
    """A server that ignores the offset would be read without end."""
    stuck = V3Rules(max_limit=5)
    v3.api.v3 = stuck
    original = v3.api.v3_data.record
    v3.api.v3_data.record = (  # type: ignore[method-assign]
        lambda name, number, *, fields="both": original(name, 1 + number % 5, fields=fields)
    )
    _, error = v3.failing_sync(Exception, "events", page_size=5)
    assert "the server sent the same page twice" in str(error)


@pytest.mark.parametrize("included", [True, False])
def test_tracking_key_is_written_only_with_its_setting(v3: V3Site, *, included: bool) -> None:
    output = v3.sync("products", include_tracking_key=included)
    assert output.rows("products") == expected_list(v3.api, "products", secret=included)
    assert ("tracking_key" in output.text) is included


def test_products_of_which_none_exists_are_an_error(v3: V3Site) -> None:
    _, error = v3.failing_sync(ConfigValidationError, "events", product_ids=[77, 78])
    assert error.errors == ["product_ids must name a product of the account, got 77, 78"]


def test_metrics_of_which_none_exists_fail_the_run(v3: V3Site) -> None:
    ended = v3.execute(metric_ids=[77])
    assert ended.code == 1
    assert ended.errors[0] == "metric_results: no metric exists (HTTP 404); check metric_ids"
