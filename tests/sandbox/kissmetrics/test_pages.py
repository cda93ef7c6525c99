"""Lists in every observed form, and with every observed defect."""

from typing import Any

import pytest
import requests
from sandbox.kissmetrics import PageRules, Sizes
from sandbox.kissmetrics.rules import Form
from sandbox.server import running
from sandbox.stranger import Stranger

from tests.sandbox.kissmetrics.client import Client, Serve, links_of

EVENTS = "/core/events"
SIX = Sizes(events=6)


def ids(body: Any) -> list[str]:
    return [one["id"] for one in body["data"]]


def header_of(response: requests.Response) -> dict[str, str]:
    """Parse the Link header as the vendor's client does: split into three parts."""
    links = {}
    for entry in response.headers["Link"].split(","):
        url, rel, templated = entry.split(";")
        if templated == ' templated="false"':
            links[rel.removeprefix(' rel="').rstrip('"')] = url.strip("<>")
    return links


def test_paging_links_have_the_documented_offsets(serve: Serve) -> None:
    client = serve(sizes=SIX)
    response = client.get(EVENTS, limit=1, offset=1)
    own = f"{client.at.core}{EVENTS}?limit=1&offset="
    offsets = {"self": 1, "first": 0, "last": 5, "next": 2, "prev": 0}
    expected = {rel: f"{own}{offset}" for rel, offset in offsets.items()}
    assert links_of(response.json()) == expected == header_of(response)
    assert response.json()["pagination"] == {"limit": 1, "offset": 1, "total": 6}
    assert 'templated="true"' in response.headers["Link"]


@pytest.mark.parametrize(
    ("count", "pages"), [(0, 1), (1, 1), (19, 1), (20, 1), (21, 2), (40, 2), (41, 3)]
)
def test_the_last_page_has_no_next(serve: Serve, count: int, pages: int) -> None:
    client = serve(sizes=Sizes(events=count))
    bodies = list(client.pages(EVENTS))
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
def test_each_form_has_its_link_to_the_next_page(
    serve: Serve, form: Form, *, is_bare: bool, body_links: bool, has_total: bool, has_header: bool
) -> None:
    client = serve(pages=PageRules(form=form))
    response = client.get(EVENTS)
    body = response.json()
    records = body if is_bare else body["data"]
    assert [one["id"] for one in records] == client.api.data.ids("events")[:20]
    assert isinstance(body, list) == is_bare
    following = f"{client.at.core}{EVENTS}?limit=20&offset=20"
    assert (not is_bare and links_of(body).get("next") == following) == body_links
    assert (not is_bare and "pagination" in body) == has_total
    assert ("Link" in response.headers) == has_header
    if has_header:
        assert header_of(response)["next"] == following


def test_a_list_can_have_a_total_without_next(serve: Serve) -> None:
    client = serve(pages=PageRules(form="total_without_next"))
    response = client.get(EVENTS)
    assert response.json()["pagination"]["total"] == 45
    assert set(links_of(response.json())) == set(header_of(response)) == {"self"}


def test_a_list_can_have_its_own_form(serve: Serve) -> None:
    client = serve(pages_of={"events": PageRules(form="bare")})
    assert isinstance(client.get(EVENTS).json(), list)
    assert isinstance(client.get("/core/reports").json(), dict)


def test_rules_can_change_while_the_server_runs(client: Client) -> None:
    assert isinstance(client.get(EVENTS).json(), dict)
    client.api.pages = PageRules(form="bare")
    assert isinstance(client.get(EVENTS).json(), list)


@pytest.mark.parametrize(("echo", "shown"), [(False, 8), (True, 1000)])
def test_a_limit_above_the_maximum_silently_returns_fewer_records(
    serve: Serve, shown: int, *, echo: bool
) -> None:
    client = serve(pages=PageRules(max_limit=8, echo_limit=echo))
    body = client.get(EVENTS, limit=1000).json()
    assert len(body["data"]) == 8
    assert body["pagination"] == {"limit": shown, "offset": 0, "total": 45}
    assert len(client.records(EVENTS, limit=1000)) == 45


def test_the_default_limit_is_configurable(serve: Serve) -> None:
    client = serve(pages=PageRules(default_limit=3))
    assert len(client.get(EVENTS).json()["data"]) == 3


def test_ampersands_can_be_escaped_in_the_body(serve: Serve) -> None:
    client = serve(pages=PageRules(escaped_links=True))
    response = client.get(EVENTS)
    assert links_of(response.json())["next"].endswith("?limit=20&amp;offset=20")
    assert header_of(response)["next"].endswith("?limit=20&offset=20")


def test_paging_links_can_omit_templates(serve: Serve) -> None:
    has_templates = [
        any(one["templated"] for one in serve(pages=rules).get(EVENTS).json()["links"])
        for rules in (PageRules(), PageRules(templated_links=False))
    ]
    assert has_templates == [True, False]


def test_next_can_link_to_a_foreign_host(serve: Serve) -> None:
    stranger = Stranger({"data": []})
    with running(stranger.app) as elsewhere:
        client = serve(pages=PageRules(next_host=elsewhere.url))
        links = links_of(client.get(EVENTS).json())
        assert links["next"] == f"{elsewhere.url}{EVENTS}?limit=20&offset=20"
        assert links["self"].startswith(client.at.core)
        client.get(links["next"])
    assert "authorization" in stranger.log.requests[0].headers


@pytest.mark.parametrize("empty_page", [1, 2, 3, 4])
def test_an_empty_page_loses_no_record(serve: Serve, empty_page: int) -> None:
    client = serve(pages=PageRules(empty_page=empty_page))
    bodies = list(client.pages(EVENTS))
    assert [len(body["data"]) == 0 for body in bodies].index(True) == empty_page - 1
    assert [one for body in bodies for one in ids(body)] == client.api.data.ids("events")
    assert {body["pagination"]["total"] for body in bodies} == {45}


@pytest.mark.parametrize("offset", range(0, 60, 7))
def test_an_empty_page_is_consistent_for_any_offset(serve: Serve, offset: int) -> None:
    client = serve(pages=PageRules(empty_page=2))
    every = client.api.data.ids("events")
    places = [*every[:10], *[""] * 10, *every[10:]]
    expected = [one for one in places[offset : offset + 10] if one]
    assert ids(client.get(EVENTS, limit=10, offset=offset).json()) == expected


def test_the_last_page_can_link_to_an_empty_one(serve: Serve) -> None:
    client = serve(sizes=Sizes(events=40), pages=PageRules(empty_end=True))
    assert [len(body["data"]) for body in client.pages(EVENTS)] == [20, 20, 0]


def test_every_page_can_repeat_the_first(serve: Serve) -> None:
    client = serve(pages=PageRules(repeat_page=True))
    first, second, third = (ids(body) for body in client.pages(EVENTS))
    assert first == second == third == client.api.data.ids("events")[:20]


def test_the_total_can_be_too_high(serve: Serve) -> None:
    client = serve(pages=PageRules(short_of_total=16))
    bodies = list(client.pages(EVENTS))
    assert [len(body["data"]) for body in bodies] == [20, 20, 5, 0]
    assert {body["pagination"]["total"] for body in bodies} == {61}


def test_a_list_can_shrink_while_it_is_read(serve: Serve) -> None:
    client = serve(pages=PageRules(change_after=1, vanish=3))
    read = [one for body in client.pages(EVENTS) for one in ids(body)]
    every = client.api.data.ids("events")
    assert read == every[:20] + every[23:]
    assert client.get(EVENTS).json()["pagination"]["total"] == 42
    assert len(client.records("/core/properties")) == 57


@pytest.mark.parametrize("scope", ["", "/products/9e3779b1-a002-0131-ead3-000000000001"])
def test_a_list_can_grow_while_it_is_read(serve: Serve, scope: str) -> None:
    client = serve(pages=PageRules(change_after=1, insert=2))
    bodies = list(client.pages(f"/core{scope}/events", limit=5))
    read = [one for body in bodies for one in ids(body)]
    assert read[:5] == read[:3] + read[5:7]
    assert len(read) == bodies[-1]["pagination"]["total"]
    new = set(ids(client.get(f"/core{scope}/events", limit=2).json()))
    assert new.isdisjoint(client.api.data.ids("events"))


def test_an_empty_list_stays_empty_when_it_changes(serve: Serve) -> None:
    rules = PageRules(change_after=0, insert=2, vanish=1)
    client = serve(sizes=Sizes(events=0), pages=rules)
    assert client.get(EVENTS).json()["data"] == []
