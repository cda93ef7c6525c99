"""Lists arrive whole, each record once, in whatever form and in whatever pages they come."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, cast

import pytest
from sandbox.exchange import json_response
from sandbox.kissmetrics import FieldRules, PageRules
from sandbox.kissmetrics.rules import FORMS

from tests.kissmetrics.canned import Answers, records
from tests.kissmetrics.site import CORE

if TYPE_CHECKING:
    from sandbox.exchange import Request, Response
    from sandbox.kissmetrics import Kissmetrics
    from sandbox.kissmetrics.rules import Form, ListName

    from tests.kissmetrics.conftest import Serve
    from tests.kissmetrics.site import Site
    from tests.singer import Row

WITH_NEXT = ["envelope", "link_header_only", "link_header_envelope", "next_in_body_only"]
WITH_TOTAL = ["envelope", "total_without_next"]


def expected_list(api: Kissmetrics, name: str, product_id: str | None = None) -> list[Row]:
    """A list as it should arrive: its documented fields and those seen on the wire."""
    records = api.data.records(cast("ListName", name), product_id)
    return [_shaped(record) for record in records]


def _shaped(record: Row) -> Row:
    """A record of a list as it should arrive."""
    contact = record.pop("contact", None)
    record.pop("tracking_key", None)
    if contact is not None:
        record |= {f"contact_{field}": value for field, value in contact.items()}
    return record


@pytest.mark.parametrize("form", FORMS)
def test_every_list_arrives_with_every_field(serve: Serve, form: Form) -> None:
    site = serve(pages=PageRules(form=form))
    output = site.sync(*CORE, page_size=7)
    for name in CORE:
        assert output.rows(name) == expected_list(site.api, name)


@pytest.mark.parametrize("limit", [None, 4])
@pytest.mark.parametrize("count", [0, 1, 10, 11, 20])
@pytest.mark.parametrize("form", FORMS)
def test_any_number_of_records_in_pages_of_ten(
    serve: Serve, form: Form, count: int, limit: int | None
) -> None:
    """With a limit the server silently gives pages of four."""
    site = serve(pages=PageRules(form=form, max_limit=limit), sizes={"events": count})
    output = site.sync("events", page_size=10)
    assert output.rows("events") == expected_list(site.api, "events")
    pages = site.asked("/core/events")
    size = limit or 10
    # Without a total the end is certain only when one more page is empty.
    assert len(pages) - max(1, -(-count // size)) in ({0} if form in WITH_TOTAL else {0, 1})
    assert len(set(pages)) == len(pages)


@pytest.mark.parametrize("form", FORMS)
def test_a_server_that_claims_the_limit_that_was_asked_for(serve: Serve, form: Form) -> None:
    site = serve(pages=PageRules(form=form, max_limit=20, echo_limit=True))
    assert site.sync("events").rows("events") == expected_list(site.api, "events")


@pytest.mark.parametrize("form", FORMS)
def test_links_with_escaped_ampersands(serve: Serve, form: Form) -> None:
    site = serve(pages=PageRules(form=form, escaped_links=True))
    output = site.sync("events", page_size=10)
    assert output.rows("events") == expected_list(site.api, "events")
    assert not [target for target in site.asked() if "amp" in target]


@pytest.mark.parametrize("form", WITH_NEXT)
@pytest.mark.parametrize("page", [1, 2, 3, 5])
def test_an_empty_page_with_a_next_is_not_the_end(serve: Serve, form: Form, page: int) -> None:
    site = serve(pages=PageRules(form=form, empty_page=page))
    output = site.sync("events", page_size=10)
    assert output.rows("events") == expected_list(site.api, "events")


@pytest.mark.parametrize("form", WITH_NEXT)
@pytest.mark.parametrize("count", [0, 5, 10, 30])
def test_a_next_behind_the_last_record_leads_to_an_empty_page(
    serve: Serve, form: Form, count: int
) -> None:
    site = serve(pages=PageRules(form=form, empty_end=True), sizes={"events": count})
    output = site.sync("events", page_size=10)
    assert output.rows("events") == expected_list(site.api, "events")


def test_templates_among_the_paging_links_are_never_asked_for(serve: Serve) -> None:
    site = serve(pages=PageRules(templated_links=True, form="next_in_body_only"))
    site.sync(*CORE, page_size=5)
    assert not [target for target in site.asked() if "{" in target or "%7B" in target]


@pytest.mark.parametrize("place", ["body", "header"])
def test_a_next_that_is_a_template_is_no_next(place: str) -> None:
    def page(request: Request) -> Response:
        offset = int(request.parameter("offset") or 0)
        href = "https://api.kissmetrics.com/core/events{?limit,offset}"
        body: Any = {"data": records(5, offset + 1)[: max(0, 8 - offset)]}
        if place == "body":
            body["links"] = [{"rel": "next", "href": href, "templated": True}]
            return json_response(body)
        return json_response(body, 200, (("link", f'<{href}>; rel="next"; templated="true"'),))

    with Answers({"/core/events": page}) as answers:
        rows = answers.sync("events", page_size=5).rows("events")
    assert [row["id"] for row in rows] == [f"e{number}" for number in range(1, 9)]
    assert len(answers.asked("/core/events")) == 2


@pytest.mark.parametrize("body", [{"data": {}}, {"data": []}, [], {"data": [], "links": None}])
def test_every_way_to_say_that_there_is_nothing(body: Any) -> None:
    with Answers({"/core/events": body}) as answers:
        assert answers.sync("events").rows("events") == []


def test_the_parameters_of_the_vendors_own_links_are_kept(serve: Serve) -> None:
    site = serve(sizes={"events": 60})
    (product_id, *_) = site.api.data.ids("products")
    output = site.sync("events", product_ids=[product_id], page_size=5)
    assert output.rows("events") == expected_list(site.api, "events", product_id)
    later = [target for target in site.asked("/events") if "offset=0" not in target]
    assert len(later) == 3
    assert all(f"product_id={product_id}" in target for target in later)


@pytest.mark.parametrize("form", WITH_TOTAL)
def test_further_pages_are_read_side_by_side_when_their_number_is_known(
    serve: Serve, form: Form
) -> None:
    site = serve(pages=PageRules(form=form), latency_ms=30, sizes={"events": 60})
    output = site.sync("events", page_size=5, max_concurrency=4)
    assert output.rows("events") == expected_list(site.api, "events")
    assert site.api.log.max_in_flight == 4
    assert max(Counter(site.asked("/core/events")).values()) == 1


@pytest.mark.parametrize("form", ["bare", "next_in_body_only"])
def test_pages_of_unknown_number_are_read_one_by_one(serve: Serve, form: Form) -> None:
    site = serve(pages=PageRules(form=form), latency_ms=5)
    output = site.sync("events", page_size=5, max_concurrency=8)
    assert output.rows("events") == expected_list(site.api, "events")
    assert site.api.log.max_in_flight == 1


def test_totals_that_are_texts_become_numbers(serve: Serve) -> None:
    site = serve(fields=FieldRules(text_totals=True))
    assert any(isinstance(record["total"], str) for record in site.api.data.records("events"))
    rows = site.sync("events").rows("events")
    assert all(isinstance(row["total"], int) for row in rows)


def test_a_total_in_the_old_place_and_as_a_text_counts_too() -> None:
    def page(request: Request) -> Any:
        offset = int(request.parameter("offset") or 0)
        return {"total": "9", "rows": records(9)[offset : offset + 4]}

    with Answers({"/core/events": page}) as answers:
        assert len(answers.sync("events").rows("events")) == 9
    assert len(answers.asked("/core/events")) == 3


def test_a_metrics_status_is_a_text_whatever_it_comes_as() -> None:
    statuses: list[Any] = ["pending", True, False, None]
    metrics = [{"id": f"m{number}", "status": status} for number, status in enumerate(statuses)]
    with Answers({"/core/metrics": metrics}) as answers:
        rows = answers.sync("metrics").rows("metrics")
    assert [row["status"] for row in rows] == ["pending", "true", "false", None]


def test_links_are_not_emitted(site: Site) -> None:
    output = site.sync()
    assert not any("links" in row for name in CORE for row in output.rows(name))
