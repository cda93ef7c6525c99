"""Lists in every form and with every fault that they were seen to have."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
from sandbox.kissmetrics import PageRules, Sizes
from sandbox.kissmetrics.rules import Form
from sandbox.server import running
from sandbox.stranger import Stranger

from tests.sandbox.kissmetrics.asking import Asker, links_of

Serve = Callable[..., Asker]
EVENTS = "/core/events"
SIX = Sizes(events=6)


def ids(body: Any) -> list[str]:
    return [one["id"] for one in body["data"]]


def header_of(answer: requests.Response) -> dict[str, str]:
    """Read the Link header as the vendor's own client does: three parts, split bluntly."""
    links = {}
    for entry in answer.headers["Link"].split(","):
        url, rel, templated = entry.split(";")
        if templated == ' templated="false"':
            links[rel.removeprefix(' rel="').rstrip('"')] = url.strip("<>")
    return links


def test_the_neighbours_are_counted_as_in_the_documents(serve: Serve) -> None:
    asker = serve(sizes=SIX)
    answer = asker.get(EVENTS, limit=1, offset=1)
    own = f"{asker.at.core}{EVENTS}?limit=1&offset="
    offsets = {"self": 1, "first": 0, "last": 5, "next": 2, "prev": 0}
    expected = {rel: f"{own}{offset}" for rel, offset in offsets.items()}
    assert links_of(answer.json()) == expected == header_of(answer)
    assert answer.json()["pagination"] == {"limit": 1, "offset": 1, "total": 6}
    assert 'templated="true"' in answer.headers["Link"]


@pytest.mark.parametrize(
    ("count", "pages"), [(0, 1), (1, 1), (19, 1), (20, 1), (21, 2), (40, 2), (41, 3)]
)
def test_a_list_ends_without_next(serve: Serve, count: int, pages: int) -> None:
    asker = serve(sizes=Sizes(events=count))
    bodies = list(asker.pages(EVENTS))
    assert len(bodies) == pages
    assert {"first", "last"} <= set(links_of(bodies[0]))
    assert "prev" not in links_of(bodies[0])
    assert sum(len(body["data"]) for body in bodies) == count


@pytest.mark.parametrize(
    ("form", "is_bare", "body_links", "has_total", "has_header"),
    [
        ("envelope", False, True, True, True),
        ("bare", True, False, False, False),
        ("link_header_only", True, False, False, True),
        ("link_header_envelope", False, False, False, True),
        ("next_in_body_only", False, True, False, False),
    ],
)
def test_each_form_says_where_the_next_page_is(
    serve: Serve, form: Form, *, is_bare: bool, body_links: bool, has_total: bool, has_header: bool
) -> None:
    asker = serve(pages=PageRules(form=form))
    answer = asker.get(EVENTS)
    body = answer.json()
    records = body if is_bare else body["data"]
    assert [one["id"] for one in records] == asker.api.data.ids("events")[:20]
    assert isinstance(body, list) == is_bare
    following = f"{asker.at.core}{EVENTS}?limit=20&offset=20"
    assert (not is_bare and links_of(body).get("next") == following) == body_links
    assert (not is_bare and "pagination" in body) == has_total
    assert ("Link" in answer.headers) == has_header
    if has_header:
        assert header_of(answer)["next"] == following


def test_a_total_may_come_without_any_next(serve: Serve) -> None:
    asker = serve(pages=PageRules(form="total_without_next"))
    answer = asker.get(EVENTS)
    assert answer.json()["pagination"]["total"] == 45
    assert set(links_of(answer.json())) == set(header_of(answer)) == {"self"}


def test_a_list_may_have_a_form_of_its_own(serve: Serve) -> None:
    asker = serve(pages_of={"events": PageRules(form="bare")})
    assert isinstance(asker.get(EVENTS).json(), list)
    assert isinstance(asker.get("/core/reports").json(), dict)


def test_rules_can_change_while_the_server_runs(asker: Asker) -> None:
    assert isinstance(asker.get(EVENTS).json(), dict)
    asker.api.pages = PageRules(form="bare")
    assert isinstance(asker.get(EVENTS).json(), list)


@pytest.mark.parametrize(("echo", "said"), [(False, 8), (True, 1000)])
def test_a_higher_limit_silently_gives_less(serve: Serve, echo: bool, said: int) -> None:  # noqa: FBT001
    asker = serve(pages=PageRules(max_limit=8, echo_limit=echo))
    body = asker.get(EVENTS, limit=1000).json()
    assert len(body["data"]) == 8
    assert body["pagination"] == {"limit": said, "offset": 0, "total": 45}
    assert len(asker.records(EVENTS, limit=1000)) == 45


def test_the_default_limit_can_be_another(serve: Serve) -> None:
    asker = serve(pages=PageRules(default_limit=3))
    assert len(asker.get(EVENTS).json()["data"]) == 3


def test_ampersands_may_be_escaped_in_the_body(serve: Serve) -> None:
    asker = serve(pages=PageRules(escaped_links=True))
    answer = asker.get(EVENTS)
    assert links_of(answer.json())["next"].endswith("?limit=20&amp;offset=20")
    assert header_of(answer)["next"].endswith("?limit=20&offset=20")


def test_templates_among_paging_links_can_be_left_out(serve: Serve) -> None:
    has_templates = [
        any(one["templated"] for one in serve(pages=rules).get(EVENTS).json()["links"])
        for rules in (PageRules(), PageRules(templated_links=False))
    ]
    assert has_templates == [True, False]


def test_next_may_lead_to_a_stranger(serve: Serve) -> None:
    stranger = Stranger({"data": []})
    with running(stranger.app) as elsewhere:
        asker = serve(pages=PageRules(next_host=elsewhere.url))
        links = links_of(asker.get(EVENTS).json())
        assert links["next"] == f"{elsewhere.url}{EVENTS}?limit=20&offset=20"
        assert links["self"].startswith(asker.at.core)
        asker.get(links["next"])
    assert "authorization" in stranger.log.requests[0].headers


@pytest.mark.parametrize("empty_page", [1, 2, 3, 4])
def test_an_empty_page_costs_no_record(serve: Serve, empty_page: int) -> None:
    asker = serve(pages=PageRules(empty_page=empty_page))
    bodies = list(asker.pages(EVENTS))
    assert [len(body["data"]) == 0 for body in bodies].index(True) == empty_page - 1
    assert [one for body in bodies for one in ids(body)] == asker.api.data.ids("events")
    assert {body["pagination"]["total"] for body in bodies} == {45}


@pytest.mark.parametrize("offset", range(0, 60, 7))
def test_an_empty_page_is_at_its_place_for_any_offset(serve: Serve, offset: int) -> None:
    asker = serve(pages=PageRules(empty_page=2))
    every = asker.api.data.ids("events")
    places = [*every[:10], *[""] * 10, *every[10:]]
    expected = [one for one in places[offset : offset + 10] if one]
    assert ids(asker.get(EVENTS, limit=10, offset=offset).json()) == expected


def test_the_last_page_may_point_to_an_empty_one(serve: Serve) -> None:
    asker = serve(sizes=Sizes(events=40), pages=PageRules(empty_end=True))
    assert [len(body["data"]) for body in asker.pages(EVENTS)] == [20, 20, 0]


def test_the_same_page_may_come_again_and_again(serve: Serve) -> None:
    asker = serve(pages=PageRules(repeat_page=True))
    first, second, third = (ids(body) for body in asker.pages(EVENTS))
    assert first == second == third == asker.api.data.ids("events")[:20]


def test_the_total_may_promise_too_much(serve: Serve) -> None:
    asker = serve(pages=PageRules(short_of_total=16))
    bodies = list(asker.pages(EVENTS))
    assert [len(body["data"]) for body in bodies] == [20, 20, 5, 0]
    assert {body["pagination"]["total"] for body in bodies} == {61}


def test_a_list_may_shrink_while_it_is_read(serve: Serve) -> None:
    asker = serve(pages=PageRules(change_after=1, vanish=3))
    read = [one for body in asker.pages(EVENTS) for one in ids(body)]
    every = asker.api.data.ids("events")
    assert read == every[:20] + every[23:]
    assert asker.get(EVENTS).json()["pagination"]["total"] == 42
    assert len(asker.records("/core/properties")) == 57


@pytest.mark.parametrize("scope", ["", "/products/9e3779b1-a002-0131-ead3-000000000001"])
def test_a_list_may_grow_while_it_is_read(serve: Serve, scope: str) -> None:
    asker = serve(pages=PageRules(change_after=1, insert=2))
    bodies = list(asker.pages(f"/core{scope}/events", limit=5))
    read = [one for body in bodies for one in ids(body)]
    assert read[:5] == read[:3] + read[5:7]
    assert len(read) == bodies[-1]["pagination"]["total"]
    new = set(ids(asker.get(f"/core{scope}/events", limit=2).json()))
    assert new.isdisjoint(asker.api.data.ids("events"))


def test_an_empty_list_stays_empty_when_it_changes(serve: Serve) -> None:
    rules = PageRules(change_after=0, insert=2, vanish=1)
    asker = serve(sizes=Sizes(events=0), pages=rules)
    assert asker.get(EVENTS).json()["data"] == []
