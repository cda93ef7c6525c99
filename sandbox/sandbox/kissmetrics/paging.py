"""A list cut into pages, in every observed form and with every observed defect."""

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
    """An endpoint's list: ``cut`` returns the records from an offset, up to a limit.

    ``scope`` has the redundant parameters of the paging links. With ``bare_self`` the link to
    itself has no query. ``always_ends`` is whether a single page has links to first and last.
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
    """A place in a list: ``limit`` is the page size used, ``requested`` the one requested.

    ``span`` is the first offset after the end; ``total`` is the total that the list promises.
    """

    offset: int
    limit: int
    requested: int
    span: int
    total: int


@dataclass(frozen=True)
class Shown:
    """The contents of a page, before they have a form."""

    records: list[Any]
    page: Page
    links: list[Link]
    extra: Mapping[str, Any]


def link(rel: str, name: str, href: str, *, templated: bool = False) -> Link:
    """Return a link object."""
    return {"templated": templated, "href": href, "rel": rel, "name": name}


def page_response(request: Request, listing: Listing, rules: PageRules) -> Response:
    """Return the requested page of a list.

    Raises:
        Refusal: 400 for a limit or an offset that is not a number.
    """
    page = _page_of(request, listing, rules)
    links = _links(listing, page, rules)
    return _formed(Shown(_records(listing, page, rules), page, links, listing.extra), rules)


def _page_of(request: Request, listing: Listing, rules: PageRules) -> Page:
    default = listing.default_limit if rules.default_limit is None else rules.default_limit
    requested = whole_number(request, "limit", default, least=1)
    offset = whole_number(request, "offset", 0)
    limit = min(requested, rules.max_limit or requested)
    total = listing.count + rules.short_of_total
    hole = limit if rules.empty_page is not None else 0
    return Page(offset, limit, requested, total + hole, total)


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
    """Return the links: to the page itself, to its neighbours, and the list's other ones."""
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
    """Return the offsets of the other pages, as the documents count them."""
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
    """Return a URL with another base URL; the same URL without one."""
    if host is None:
        return url
    scheme_and_host = "/".join(url.split("/", 3)[:3])
    return host.rstrip("/") + url.removeprefix(scheme_and_host)


def link_header(links: list[Link]) -> tuple[str, str]:
    """Return the vendor's Link header: no spaces between links, and one unusual parameter."""
    parts = (
        f'<{one["href"]}>; rel="{one["rel"]}"; templated="{str(one["templated"]).lower()}"'
        for one in links
    )
    return "link", ",".join(parts)


def escaped(links: list[Link]) -> list[Link]:
    """Return the links with ampersands in hrefs escaped as in the documents."""
    return [{**one, "href": one["href"].replace("&", "&amp;")} for one in links]


def _formed(shown: Shown, rules: PageRules) -> Response:
    """Return a page in the form of the rules."""
    header = link_header(shown.links)
    links = escaped(shown.links) if rules.escaped_links else shown.links
    limit = shown.page.requested if rules.echo_limit else shown.page.limit
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
