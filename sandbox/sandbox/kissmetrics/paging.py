"""A list cut into pages, in each form and with each fault that lists were seen to have."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from sandbox.exchange import Request, Response, json_response
from sandbox.kissmetrics.errors import whole_number
from sandbox.kissmetrics.rules import PageRules

Link = dict[str, Any]
REVALIDATE = ("cache-control", "max-age=0, private, must-revalidate")
PAGING_NAMES = {"first": "First", "last": "Last", "next": "Next", "prev": "Previous"}


@dataclass(frozen=True)
class Listing:
    """A list as its endpoint has it: ``cut`` gives the records from a position, up to a number.

    ``scope`` are the parameters that the paging links carry without need. A list with
    ``bare_self`` names itself without its query. ``always_ends`` is whether first and last are
    there on a single page.
    """

    url: str
    count: int
    cut: Callable[[int, int], list[Any]]
    default_limit: int
    scope: Mapping[str, str] = field(default_factory=dict)
    bare_self: bool = False
    always_ends: bool = True
    more_links: tuple[Link, ...] = ()
    templates: tuple[Link, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """A place in a list: ``limit`` is what is given, ``asked`` what was asked for.

    ``span`` is the first offset with nothing behind it; ``total`` what the list says it has.
    """

    offset: int
    limit: int
    asked: int
    span: int
    total: int


@dataclass(frozen=True)
class Shown:
    """What a page shows, before it has a form."""

    records: list[Any]
    page: Page
    links: list[Link]
    extra: Mapping[str, Any]


def link(rel: str, name: str, href: str, *, templated: bool = False) -> Link:
    """Make a link object."""
    return {"templated": templated, "href": href, "rel": rel, "name": name}


def answer_page(request: Request, listing: Listing, rules: PageRules) -> Response:
    """Response a request for a page of a list.

    Raises:
        Refusal: 400 for a limit or an offset that is no number.
    """
    page = _page_of(request, listing, rules)
    links = _links(listing, page, rules)
    return _formed(Shown(_records(listing, page, rules), page, links, listing.extra), rules)


def _page_of(request: Request, listing: Listing, rules: PageRules) -> Page:
    default = listing.default_limit if rules.default_limit is None else rules.default_limit
    asked = whole_number(request, "limit", default, least=1)
    offset = whole_number(request, "offset", 0)
    limit = min(asked, rules.max_limit or asked)
    total = listing.count + rules.short_of_total
    hole = limit if rules.empty_page is not None else 0
    return Page(offset, limit, asked, total + hole, total)


def _records(listing: Listing, page: Page, rules: PageRules) -> list[Any]:
    offset = 0 if rules.repeat_page else page.offset
    if rules.empty_page is None:
        return listing.cut(offset, page.limit)
    hole = (rules.empty_page - 1) * page.limit
    before = max(0, min(page.limit, hole - offset))
    skipped = max(0, offset + page.limit - max(offset, hole + page.limit))
    rest = listing.cut(max(offset - page.limit, hole), skipped)
    return listing.cut(offset, before) + rest


def _links(listing: Listing, page: Page, rules: PageRules) -> list[Link]:
    """Give the links: the page itself, its neighbours, then whatever else the list has."""
    own = "" if listing.bare_self else f"?limit={page.limit}&offset={page.offset}"
    links = [link("self", "Self", f"{listing.url}{own}")]
    for rel, offset in _neighbours(listing, page, rules).items():
        query = urlencode({**listing.scope, "limit": page.limit, "offset": offset})
        links.append(link(rel, PAGING_NAMES[rel], f"{_paging_url(listing, rules)}?{query}"))
    links += listing.more_links
    if rules.templated_links:
        links += listing.templates
    return links


def _neighbours(listing: Listing, page: Page, rules: PageRules) -> dict[str, int]:
    """Give the offsets of the other pages, as the documents count them."""
    if rules.form == "total_without_next":
        return {}
    is_end = page.offset >= page.span if rules.empty_end else page.offset + page.limit >= page.span
    offsets: dict[str, int] = {}
    if listing.always_ends or page.offset or not is_end:
        offsets["first"] = 0
        offsets["last"] = max(0, page.span - 1) // page.limit * page.limit
    if not is_end:
        offsets["next"] = page.offset + page.limit
    if page.offset:
        offsets["prev"] = max(0, page.offset - page.limit)
    return offsets


def _paging_url(listing: Listing, rules: PageRules) -> str:
    if rules.next_host is None:
        return listing.url
    return moved(listing.url, rules.next_host)


def moved(url: str, host: str | None) -> str:
    """Put another address in front of a URL's path; the same URL when there is none."""
    if host is None:
        return url
    scheme_and_host = "/".join(url.split("/", 3)[:3])
    return host.rstrip("/") + url.removeprefix(scheme_and_host)


def link_header(links: list[Link]) -> tuple[str, str]:
    """Spell links as the vendor's header: no blanks between them, and a parameter of its own."""
    parts = (
        f'<{one["href"]}>; rel="{one["rel"]}"; templated="{str(one["templated"]).lower()}"'
        for one in links
    )
    return "link", ",".join(parts)


def escaped(links: list[Link]) -> list[Link]:
    """Spell the ampersands in hrefs as the documents do."""
    return [{**one, "href": one["href"].replace("&", "&amp;")} for one in links]


def _formed(shown: Shown, rules: PageRules) -> Response:
    """Put records and links into the form that is asked for."""
    header = link_header(shown.links)
    links = escaped(shown.links) if rules.escaped_links else shown.links
    limit = shown.page.asked if rules.echo_limit else shown.page.limit
    meta = {"meta": {"status": 200}, "data": shown.records, **shown.extra}
    pagination = {"limit": limit, "offset": shown.page.offset, "total": shown.page.total}
    match rules.form:
        case "envelope" | "total_without_next":
            body = {**meta, "pagination": pagination, "links": links}
            return json_response(body, headers=(REVALIDATE, header))
        case "bare":
            return json_response(shown.records, headers=(REVALIDATE,))
        case "link_header_only":
            return json_response(shown.records, headers=(REVALIDATE, header))
        case "link_header_envelope":
            return json_response(meta, headers=(REVALIDATE, header))
        case "next_in_body_only":
            return json_response({**meta, "links": links}, headers=(REVALIDATE,))
