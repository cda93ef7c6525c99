"""Lists are written whole, each record once, in every form of pages and of any size."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.exchange import json_response
from sandbox.kissmetrics import FieldRules, PageRules
from sandbox.kissmetrics.rules import FORMS

from tests.kissmetrics.canned import Canned, records
from tests.kissmetrics.rows import expected_list
from tests.kissmetrics.site import CORE, WITH_NEXT, WITH_TOTAL

if TYPE_CHECKING:
    from sandbox.exchange import Request, Response
    from sandbox.kissmetrics.rules import Form

    from tests.kissmetrics.conftest import Serve
    from tests.kissmetrics.site import Site


@pytest.mark.parametrize("form", FORMS)
def test_every_list_is_written_with_every_field(serve: Serve, form: Form) -> None:
    site = serve(pages=PageRules(form=form), sizes={"events": 20, "properties": 21})
    output = site.sync(*CORE, page_size=7)
    for name in CORE:
        assert output.rows(name) == expected_list(site.api, name)


@pytest.mark.parametrize("limit", [None, 4])
@pytest.mark.parametrize("count", [0, 1, 10, 11, 20])
@pytest.mark.parametrize("form", FORMS)
def test_any_number_of_records_is_read_in_pages_of_ten(
    serve: Serve, form: Form, count: int, limit: int | None
) -> None:
    """With a limit the server sends pages of four without saying so."""
    site = serve(pages=PageRules(form=form, max_limit=limit), sizes={"events": count})
    output = site.sync("events", page_size=10)
    assert output.rows("events") == expected_list(site.api, "events")
    pages = site.requested("/core/events")
    size = limit or 10
    # Without a total the list ends for certain only with an empty page. The total of a single full
    # page can be the number of its records.
    is_certain = form in WITH_TOTAL and count != size
    assert len(pages) - max(1, -(-count // size)) in ({0} if is_certain else {0, 1})
    assert len(set(pages)) == len(pages)


@pytest.mark.parametrize("form", FORMS)
def test_list_is_complete_when_the_server_states_a_limit_that_it_does_not_keep(
    serve: Serve, form: Form
) -> None:
    site = serve(pages=PageRules(form=form, max_limit=20, echo_limit=True))
    assert site.sync("events").rows("events") == expected_list(site.api, "events")


@pytest.mark.parametrize("form", FORMS)
def test_links_with_escaped_ampersands_are_followed(serve: Serve, form: Form) -> None:
    site = serve(pages=PageRules(form=form, escaped_links=True))
    output = site.sync("events", page_size=10)
    assert output.rows("events") == expected_list(site.api, "events")
    assert not [target for target in site.requested() if "amp" in target]


@pytest.mark.parametrize("form", WITH_NEXT)
@pytest.mark.parametrize("page", [1, 2, 3, 5])
def test_empty_page_with_a_next_link_does_not_end_the_list(
    serve: Serve, form: Form, page: int
) -> None:
    site = serve(pages=PageRules(form=form, empty_page=page))
    output = site.sync("events", page_size=10)
    assert output.rows("events") == expected_list(site.api, "events")


@pytest.mark.parametrize("form", WITH_NEXT)
@pytest.mark.parametrize("count", [0, 5, 10, 30])
def test_next_link_after_the_last_record_leads_to_an_empty_page(
    serve: Serve, form: Form, count: int
) -> None:
    site = serve(pages=PageRules(form=form, empty_end=True), sizes={"events": count})
    output = site.sync("events", page_size=10)
    assert output.rows("events") == expected_list(site.api, "events")


def test_templates_among_the_paging_links_are_never_requested(serve: Serve) -> None:
    pages = PageRules(templated_links=True, form="next_in_body_only")
    site = serve(pages=pages, sizes={"events": 12, "properties": 15})
    site.sync(*CORE, page_size=5)
    assert not [target for target in site.requested() if "{" in target or "%7B" in target]


@pytest.mark.parametrize("place", ["body", "header"])
def test_templated_next_link_is_not_followed(place: str) -> None:
    def page(request: Request) -> Response:
        offset = int(request.parameter("offset") or 0)
        href = "https://api.kissmetrics.com/core/events{?limit,offset}"
        body: Any = {"data": records(5, offset + 1)[: max(0, 8 - offset)]}
        if place == "body":
            body["links"] = [{"rel": "next", "href": href, "templated": True}]
            return json_response(body)
        return json_response(body, 200, (("link", f'<{href}>; rel="next"; templated="true"'),))

    with Canned({"/core/events": page}) as server:
        rows = server.sync("events", page_size=5).rows("events")
    assert [row["id"] for row in rows] == [f"e{number}" for number in range(1, 9)]
    assert len(server.requested("/core/events")) == 2


@pytest.mark.parametrize("body", [{"data": {}}, {"data": []}, [], {"data": [], "links": None}])
def test_every_form_of_an_empty_list_is_accepted(body: Any) -> None:
    with Canned({"/core/events": body}) as server:
        assert server.sync("events").rows("events") == []


def test_parameters_of_the_vendors_links_are_kept(serve: Serve) -> None:
    site = serve(sizes={"events": 60})
    (product_id, *_) = site.api.data.ids("products")
    output = site.sync("events", product_ids=[product_id], page_size=5)
    assert output.rows("events") == expected_list(site.api, "events", product_id)
    later = [target for target in site.requested("/events") if "offset=0" not in target]
    assert len(later) == 3
    assert all(f"product_id={product_id}" in target for target in later)


@pytest.mark.parametrize("form", WITH_TOTAL)
def test_further_pages_are_read_in_parallel_when_their_number_is_known(
    serve: Serve, form: Form
) -> None:
    site = serve(pages=PageRules(form=form), latency_ms=30, sizes={"events": 60})
    output = site.sync("events", page_size=5, max_concurrency=4)
    assert output.rows("events") == expected_list(site.api, "events")
    assert site.api.log.max_in_flight == 4
    assert max(Counter(site.requested("/core/events")).values()) == 1


@pytest.mark.parametrize("form", ["bare", "next_in_body_only"])
def test_further_pages_are_read_one_by_one_when_their_number_is_unknown(
    serve: Serve, form: Form
) -> None:
    site = serve(pages=PageRules(form=form), latency_ms=5, sizes={"events": 22})
    output = site.sync("events", page_size=5, max_concurrency=8)
    assert output.rows("events") == expected_list(site.api, "events")
    assert site.api.log.max_in_flight == 1


def test_totals_that_are_texts_become_numbers(serve: Serve) -> None:
    site = serve(fields=FieldRules(text_totals=True))
    assert any(isinstance(record["total"], str) for record in site.api.data.records("events"))
    rows = site.sync("events").rows("events")
    assert all(isinstance(row["total"], int) for row in rows)


def test_total_at_the_top_level_and_as_text_is_used() -> None:
    def page(request: Request) -> Any:
        offset = int(request.parameter("offset") or 0)
        return {"total": "9", "rows": records(9)[offset : offset + 4]}

    with Canned({"/core/events": page}) as server:
        assert len(server.sync("events").rows("events")) == 9
    assert len(server.requested("/core/events")) == 3


def test_status_of_a_metric_is_always_written_as_text() -> None:
    statuses: list[Any] = ["pending", True, False, None]
    metrics = [{"id": f"m{number}", "status": status} for number, status in enumerate(statuses)]
    with Canned({"/core/metrics": metrics}) as server:
        rows = server.sync("metrics").rows("metrics")
    assert [row["status"] for row in rows] == ["pending", "true", "false", None]


def test_links_are_not_written(site: Site) -> None:
    output = site.sync(*CORE)
    assert not any("links" in row for name in CORE for row in output.rows(name))
